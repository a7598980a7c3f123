//! The answer to a request for a range.

use crate::RangeAnswer;
use vigil_primitives::{BLOCK_BYTES_MAX, Bytes, Height};

/// Blocks in one answer.
const BLOCKS_MAX: u64 = 64;

/// Collects settled blocks from `from` up: at most `max`, 64 and 8 MiB.
///
/// - `settled`: height of our settled head. `block(height)`: RLP of the settled block there; `None` ends the range.
/// - `tip`: the child of the settled head and its certificate, both as RLP, if known. It is appended, with the
///   certificate, where the range reaches it.
///
/// # Errors
/// Passes on those of `block`.
pub fn serve_range<E>(
    from: Height,
    max: u64,
    settled: Height,
    mut block: impl FnMut(Height) -> Result<Option<Bytes>, E>,
    tip: impl FnOnce() -> Result<Option<(Bytes, Bytes)>, E>,
) -> Result<RangeAnswer, E> {
    let (mut answer, mut bytes) = (RangeAnswer::default(), 0);
    let end = from.saturating_add(max.min(BLOCKS_MAX));
    for height in from..end.min(settled.saturating_add(1)) {
        let Some(next) = block(height)? else { return Ok(answer) };
        bytes += next.len();
        if bytes > BLOCK_BYTES_MAX && !answer.blocks.is_empty() {
            return Ok(answer);
        }
        answer.blocks.push(next);
    }
    let reaches_tip = from <= settled && end > settled.saturating_add(1);
    if reaches_tip
        && let Some((child, cert)) = tip()?
        && bytes + child.len() <= BLOCK_BYTES_MAX
    {
        answer.blocks.push(child);
        answer.certs.push(cert);
    }
    Ok(answer)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::convert::Infallible;

    fn serve(from: Height, max: u64, settled: Height, size: usize) -> RangeAnswer {
        let block = |height: Height| Ok::<_, Infallible>(Some(Bytes::from(vec![height as u8; size])));
        serve_range(from, max, settled, block, || Ok(Some((Bytes::from(vec![0xbb]), Bytes::from(vec![0xcc]))))).unwrap()
    }

    #[test]
    fn ends_where_it_must() {
        assert_eq!(serve(5, 3, 100, 1).blocks, [vec![5], vec![6], vec![7]].map(Bytes::from));
        assert_eq!(serve(5, 1_000, 500, 1).blocks.len(), 64);
        assert_eq!(serve(101, 10, 100, 1), RangeAnswer::default());
        assert_eq!(serve(u64::MAX, u64::MAX, u64::MAX, 1).blocks.len(), 0);
        assert_eq!(serve(1, 64, 100, BLOCK_BYTES_MAX / 2).blocks.len(), 2);
        assert_eq!(serve(1, 64, 100, BLOCK_BYTES_MAX / 2 + 1).blocks.len(), 1);
        assert_eq!(serve(1, 64, 100, BLOCK_BYTES_MAX).blocks.len(), 1);
    }

    #[test]
    fn brings_the_tip_and_its_certificate() {
        let answer = serve(99, 64, 100, 1);
        assert_eq!(answer.blocks, [vec![99], vec![100], vec![0xbb]].map(Bytes::from));
        assert_eq!(answer.certs, [Bytes::from(vec![0xcc])]);
        assert!(serve(99, 2, 100, 1).certs.is_empty(), "the range does not reach it");
        assert!(serve(100, 64, 100, BLOCK_BYTES_MAX).certs.is_empty(), "no room");
    }
}
