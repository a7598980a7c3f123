//! Signatures from their compressed form: points of G2, eight at a time.

use super::fp::Fp;
use super::fp2::Fp2;
use super::g2::Affine;
use super::power::square_roots;
use crate::bls::row::below_p;
use crate::bls::words;
use blst::blst_p2_affine;

/// A compressed point of G2.
type Bytes = [u8; 96];

/// The bits of the first byte that are no bits of x.
const COMPRESSED: u8 = 0x80;
const INFINITY: u8 = 0x40;
const LARGE: u8 = 0x20;

/// The two halves of x, below p.
type X = [[u64; 6]; 2];

/// The points in the subgroup of order r. `None`: it is none, or infinity, or one that only the judge can tell.
#[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
pub(crate) fn signatures(compressed: &[Bytes]) -> Vec<Option<blst_p2_affine>> {
    let vectors: Vec<Lanes> = compressed.chunks(8).map(Lanes::parse).collect();
    let x: Vec<Fp2> = vectors.iter().map(|lanes| lanes.x()).collect();
    let b = Fp2::splat(&[const { words::small(4) }; 2]);
    let right: Vec<Fp2> = x.iter().map(|x| x.sqr().mul(x).add(&b)).collect();
    let mut points = Vec::with_capacity(compressed.len());
    for ((lanes, x), roots) in vectors.iter().zip(x).zip(square_roots(&right)) {
        let y = roots.root.neg_where::<4>(roots.root.is_large() ^ lanes.large);
        let point = Affine { x, y: y.reduced() };
        let (inside, _unknown) = point.in_subgroup();
        let good = inside & roots.found & lanes.readable;
        let taken = (compressed.len() - points.len()).min(8);
        points.extend(
            point.to_blst().into_iter().take(taken).enumerate().map(|(i, p)| (good >> i & 1 == 1).then_some(p)),
        );
    }
    points
}

/// Eight compressed points.
struct Lanes {
    x: [X; 8],
    /// Which have the larger y.
    large: u8,
    /// Which are points in the right form, but perhaps not on the curve.
    readable: u8,
}

impl Lanes {
    fn parse(chunk: &[Bytes]) -> Self {
        let mut lanes = Self { x: [[[0; 6]; 2]; 8], large: 0, readable: 0 };
        for (i, bytes) in chunk.iter().enumerate() {
            if let Some(x) = read_x(bytes) {
                lanes.x[i] = x;
                lanes.large |= u8::from(bytes[0] & LARGE != 0) << i;
                lanes.readable |= 1 << i;
            }
        }
        lanes
    }

    #[target_feature(enable = "avx512f,avx512dq,avx512ifma")]
    fn x(&self) -> Fp2 {
        Fp2 { c0: Fp::from_plain(&self.x.map(|x| x[0])), c1: Fp::from_plain(&self.x.map(|x| x[1])) }
    }
}

/// x, if the flags are those of a point that is not infinity and both halves are below p.
fn read_x(bytes: &Bytes) -> Option<X> {
    let flags = bytes[0];
    if flags & (COMPRESSED | INFINITY) != COMPRESSED {
        return None;
    }
    let (second, first) = bytes.split_at(48);
    let mut second = words_of(second);
    second[5] &= u64::MAX >> 3;
    let x = [words_of(first), second];
    x.iter().all(below_p).then_some(x)
}

/// Words of a big-endian number of 48 bytes.
fn words_of(bytes: &[u8]) -> [u64; 6] {
    let mut words = [0; 6];
    for (word, bytes) in words.iter_mut().rev().zip(bytes.chunks_exact(8)) {
        *word = u64::from_be_bytes(bytes.try_into().expect("8 bytes"));
    }
    words
}

#[cfg(test)]
mod tests;
