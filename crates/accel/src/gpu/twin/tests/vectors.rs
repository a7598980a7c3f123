//! Weighted sums of signer vectors.

use super::rig::Rig;
use super::signatures::numbers;
use crate::gpu::card::Kernel;
use crate::gpu::start::Start;
use rand::RngCore;
use vigil_crypto::signer_vectors::weighted_sums;

fn check(n: usize, vectors: &[Vec<u8>], weights: &[u64]) {
    // Each vector begins at a whole word, with a word between.
    let words = n.div_ceil(4) + 1;
    let mut entries = vec![];
    for vector in vectors {
        let mut bytes = vector.clone();
        bytes.resize(4 * words, 0xff);
        entries.extend(bytes.as_chunks().0.iter().map(|word| u32::from_le_bytes(*word)));
    }
    let halves: Vec<u32> = weights.iter().flat_map(|weight| [*weight as u32, (weight >> 32) as u32]).collect();
    let mut rig = Rig::new(&Start::random());
    let places = [rig.filled(&entries), rig.filled(&halves), rig.buffer(6 * n)];
    let params = [0, vectors.len() as u32, words as u32];
    rig.launch(Kernel::SignerSums, n, &places.each_ref(), &params);
    let got = rig.answers::<6>(&[], &places[2]);
    let mut sums = vec![0; n];
    let vectors: Vec<&[u8]> = vectors.iter().map(Vec::as_slice).collect();
    weighted_sums(&vectors, weights, &mut sums);
    for (row, sum) in got.iter().zip(sums) {
        let value = row[..4].iter().rev().fold(0, |value, word| value << 32 | u128::from(*word));
        assert_eq!(value, sum);
    }
}

#[test]
fn random_vectors() {
    let mut rng = numbers(11);
    for (n, count) in [(1, 1), (3, 2), (4, 7), (129, 40), (1000, 33), (5, 0)] {
        let mut vectors = vec![vec![0; n]; count];
        vectors.iter_mut().for_each(|vector| rng.fill_bytes(vector));
        let weights: Vec<u64> = (0..count).map(|_| rng.next_u64()).collect();
        check(n, &vectors, &weights);
    }
}

#[test]
fn the_largest_sums() {
    check(5, &vec![vec![255; 5]; 65_536], &vec![u64::MAX; 65_536]);
    check(5, &vec![vec![255; 5]; 65_536], &vec![u64::from(u32::MAX); 65_536]);
}
