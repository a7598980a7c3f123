//! The other side: answers to peers' requests.

use vigil_primitives::{BLOCK_BYTES_MAX, Bytes, Hash, Height};

/// Headers or blocks in one answer.
const ITEMS_MAX: u64 = 64;

/// Collects headers of settled blocks from `from` up, at most `max` and 64.
///
/// - `settled`: height of our settled head. `header(height)`: RLP of the settled header there; `None` ends the answer.
/// - `tip`: header of the child of the settled head and its certificate, both as RLP, if known. Where the answer reaches
///   it, the header is the last one and the certificate is returned beside them.
///
/// # Errors
/// Passes on those of `header` and `tip`.
pub fn serve_headers<E>(
    from: Height,
    max: u64,
    settled: Height,
    mut header: impl FnMut(Height) -> Result<Option<Bytes>, E>,
    tip: impl FnOnce() -> Result<Option<(Bytes, Bytes)>, E>,
) -> Result<(Vec<Bytes>, Option<Bytes>), E> {
    let mut headers = Vec::new();
    let end = from.saturating_add(max.min(ITEMS_MAX));
    let child = settled.saturating_add(1);
    for height in from..end.min(child) {
        let Some(next) = header(height)? else { return Ok((headers, None)) };
        headers.push(next);
    }
    let reaches_tip = from <= child && end > child;
    let Some((child, cert)) = (if reaches_tip { tip()? } else { None }) else { return Ok((headers, None)) };
    headers.push(child);
    Ok((headers, Some(cert)))
}

/// Collects blocks by hash, in the order asked for, at most 64 and 8 MiB (but for a single block).
///
/// `block(hash)`: RLP of a block; those not held are left out.
///
/// # Errors
/// Passes on those of `block`.
pub fn serve_bodies<E>(
    hashes: &[Hash],
    mut block: impl FnMut(&Hash) -> Result<Option<Bytes>, E>,
) -> Result<Vec<Bytes>, E> {
    let (mut blocks, mut bytes) = (Vec::new(), 0);
    for hash in hashes.iter().take(ITEMS_MAX as usize) {
        let Some(next) = block(hash)? else { continue };
        bytes += next.len();
        if bytes > BLOCK_BYTES_MAX && !blocks.is_empty() {
            break;
        }
        blocks.push(next);
    }
    Ok(blocks)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::convert::Infallible;

    fn headers(from: Height, max: u64, settled: Height) -> (Vec<Bytes>, Option<Bytes>) {
        let header = |height: Height| Ok::<_, Infallible>(Some(Bytes::from(vec![height as u8])));
        serve_headers(from, max, settled, header, || Ok(Some((Bytes::from(vec![0xbb]), Bytes::from(vec![0xcc])))))
            .unwrap()
    }

    #[test]
    fn headers_end_where_they_must() {
        assert_eq!(headers(5, 3, 100), (vec![vec![5].into(), vec![6].into(), vec![7].into()], None));
        assert_eq!(headers(5, 1_000, 500).0.len(), 64);
        assert_eq!(headers(102, 10, 100), (vec![], None));
        assert_eq!(headers(u64::MAX, u64::MAX, u64::MAX).0.len(), 0);
        let ends_early = |height: Height| Ok::<_, Infallible>((height < 7).then(|| Bytes::from(vec![1])));
        let (found, cert) = serve_headers(5, 64, 10, ends_early, || Ok(Some(Default::default()))).unwrap();
        assert_eq!((found.len(), cert), (2, None), "no tip above a gap");
    }

    #[test]
    fn headers_bring_the_tip_and_its_certificate() {
        let tip = (Bytes::from(vec![0xbb]), Some(Bytes::from(vec![0xcc])));
        assert_eq!(headers(99, 64, 100), (vec![vec![99].into(), vec![100].into(), tip.0.clone()], tip.1.clone()));
        assert_eq!(headers(101, 64, 100), (vec![tip.0], tip.1));
        assert_eq!(headers(99, 2, 100).1, None, "the answer does not reach it");
    }

    #[test]
    fn bodies_end_where_they_must() {
        let serve = |count: usize, size: usize| {
            let block = |_: &Hash| Ok::<_, Infallible>(Some(Bytes::from(vec![1; size])));
            serve_bodies(&vec![Hash::ZERO; count], block).unwrap().len()
        };
        assert_eq!(serve(65, 1), 64);
        assert_eq!(serve(3, BLOCK_BYTES_MAX / 2), 2);
        assert_eq!(serve(3, BLOCK_BYTES_MAX / 2 + 1), 1);
        assert_eq!(serve(3, BLOCK_BYTES_MAX), 1);
        let (held, missing) = (Hash::repeat_byte(1), Hash::repeat_byte(2));
        let block = |hash: &Hash| Ok::<_, Infallible>((*hash == held).then(|| Bytes::from(vec![7])));
        assert_eq!(serve_bodies(&[missing, held], block).unwrap(), [Bytes::from(vec![7])]);
    }
}
