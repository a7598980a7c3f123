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

/// Nibbles and leaf flag of a compact form.
pub(crate) fn from_compact(bytes: &[u8]) -> Result<(Vec<u8>, bool), &'static str> {
    let (&first, rest) = bytes.split_first().ok_or("its path is empty")?;
    if first >= 0x40 {
        return Err("its path has an unknown flag");
    }
    let odd = first & 0x10 != 0;
    if !odd && first & 15 != 0 {
        return Err("its path has a nonzero padding nibble");
    }
    let mut nibbles = Vec::with_capacity(rest.len() * 2 + usize::from(odd));
    if odd {
        nibbles.push(first & 15);
    }
    nibbles.extend(rest.iter().flat_map(|byte| [byte >> 4, byte & 15]));
    Ok((nibbles, first & 0x20 != 0))
}
