//! The host program on the host twin.

use super::backend::Gpu;
use super::twin::Twin;
use crate::backend::{Backend, BackendName, detect};
use crate::oracle;

fn gpu() -> Gpu {
    let cpu = *detect().last().expect("portable");
    Gpu::open(BackendName::Cuda, Twin::open(), cpu).expect("the twin passes its test")
}

#[test]
fn the_twin_passes_the_self_test() {
    let gpu = gpu();
    assert_eq!(gpu.why_not(), None);
    gpu.self_test().expect("again");
    let messages: Vec<Vec<u8>> = (0..100).map(|n| vec![n; 7 * usize::from(n)]).collect();
    let messages: Vec<&[u8]> = messages.iter().map(Vec::as_slice).collect();
    let mut digests = vec![Default::default(); messages.len()];
    gpu.keccak256(&messages, &mut digests);
    assert!(messages.iter().zip(&digests).all(|(message, digest)| oracle::digest(message) == *digest));
    assert_eq!(gpu.why_not(), None);
}
