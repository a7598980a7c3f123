//! Keys as nibbles, one a byte, high half first; and their compact ("hex-prefix") form inside nodes.

/// Nibbles of a key, each below 16.
pub(crate) fn from_key(key: &[u8]) -> Vec<u8> {
    key.iter().flat_map(|byte| [byte >> 4, byte & 15]).collect()
}

/// The key of an even number of nibbles; `None` if the number is odd.
pub(crate) fn to_key(nibbles: &[u8]) -> Option<Vec<u8>> {
    let (pairs, []) = nibbles.as_chunks::<2>() else { return None };
    Some(pairs.iter().map(|[high, low]| high << 4 | low).collect())
}

/// How many nibbles both begin with.
pub(crate) fn common(a: &[u8], b: &[u8]) -> usize {
    a.iter().zip(b).take_while(|(x, y)| x == y).count()
}

/// Bytes of the compact form of `count` nibbles.
pub(crate) fn compact_len(count: usize) -> usize {
    count / 2 + 1
}

/// Appends the compact form: flag nibble (2: leaf, 1: odd), then the nibbles, a zero nibble before an even number.
pub(crate) fn push_compact(nibbles: &[u8], leaf: bool, out: &mut Vec<u8>) {
    let flag = if leaf { 0x20 } else { 0 };
    let rest = if nibbles.len() % 2 == 1 {
        out.push(flag | 0x10 | nibbles[0]);
        &nibbles[1..]
    } else {
        out.push(flag);
        nibbles
    };
    out.extend(rest.as_chunks::<2>().0.iter().map(|[high, low]| high << 4 | low));
}

/// Whether a compact form is that of a leaf.
///
/// # Errors
/// It is no compact form.
pub(crate) fn is_leaf(compact: &[u8]) -> Result<bool, &'static str> {
    let &first = compact.first().ok_or("its path is empty")?;
    if first >= 0x40 {
        return Err("its path has an unknown flag");
    }
    if first & 0x10 == 0 && first & 15 != 0 {
        return Err("its path has a nonzero padding nibble");
    }
    Ok(first & 0x20 != 0)
}

/// Nibbles of a compact form.
pub(crate) fn of_compact(compact: &[u8]) -> impl Iterator<Item = u8> {
    let odd = compact[0] & 0x10 != 0;
    compact.iter().flat_map(|byte| [byte >> 4, byte & 15]).skip(if odd { 1 } else { 2 })
}
