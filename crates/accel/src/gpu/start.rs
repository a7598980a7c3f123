//! Words that the kernels for secp256k1 read beside their items: the start of sums, and the table of G.

use crate::field::Packed;
use crate::secp::generator::Generator;
use crate::secp::order::Order;
use vigil_crypto::SecretKey;

/// Doublings of the start in `secp_sum`.
const DOUBLINGS: usize = 128;

/// The buffer `start` of `kernels/README.md`: a point whose logarithm nobody outside the process knows, so that nobody can
/// choose signatures whose sums meet equal or opposite points.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Start {
    /// x and y of the point S; then, modulo n, -2^128 log S and -log S. 8 words each, the least significant first.
    pub(crate) words: [u32; 32],
}

impl Start {
    /// One that the operating system's randomness chooses.
    pub(crate) fn random() -> Self {
        Self::of(&SecretKey::generate())
    }

    /// The one with this logarithm.
    pub(crate) fn of(key: &SecretKey) -> Self {
        let log = Order::from_be(&key.to_bytes()).expect("a key is below n");
        let mut doubled = [0; 4];
        doubled[DOUBLINGS / 64] = 1;
        let doubled = log.mul(Order::reduce(doubled));
        let point = key.public_key().to_words();
        let numbers = [doubled.neg().words(), log.neg().words()];
        let mut all = halves(&point).chain(halves(numbers.as_flattened()));
        Self { words: std::array::from_fn(|_| all.next().expect("16 long words")) }
    }
}

/// The table of G as `secp_sum` and `secp_sum_hot` read it: 20 windows of 4096 points.
pub(crate) fn table_of_g(generator: &Generator) -> Vec<u32> {
    words_of_points(generator.points())
}

/// Points as kernels read them, 16 words each.
pub(crate) fn words_of_points(points: &[Packed]) -> Vec<u32> {
    let mut words = Vec::with_capacity(16 * points.len());
    for point in points {
        words.extend(halves(&point.0));
    }
    words
}

/// The low and the high half of each word.
fn halves(words: &[u64]) -> impl Iterator<Item = u32> {
    words.iter().flat_map(|word| [*word as u32, (word >> 32) as u32])
}

#[cfg(test)]
mod tests;
