//! What the twin says of kernels and launches that leave their buffers.

use super::rig::Rig;
use crate::gpu::card::Kernel;
use crate::gpu::start::Start;
use crate::gpu::twin::POISON;

#[test]
fn new_buffers_are_poisoned() {
    let mut rig = Rig::new(&Start::random());
    let buffer = rig.buffer(5);
    assert_eq!(rig.read(&buffer), [POISON; 5]);
    rig.write(&buffer, 1, &[7, 8]);
    assert_eq!(rig.read(&buffer), [POISON, 7, 8, POISON, POISON]);
}

#[test]
#[should_panic(expected = "a kernel wrote behind a buffer of 15 words")]
fn kernels_that_write_behind_a_buffer_are_found_out() {
    let mut rig = Rig::new(&Start::random());
    let (words, spans, answers) = (rig.filled(&[1, 2]), rig.filled(&[0, 8, 0, 4]), rig.buffer(15));
    rig.launch(Kernel::KeccakMessages, 2, &[&words, &spans, &answers], &[0, 0, 8]);
}

#[test]
#[should_panic(expected = "3 words at 3 of a buffer of 5")]
fn writes_stay_inside() {
    let mut rig = Rig::new(&Start::random());
    let buffer = rig.buffer(5);
    rig.write(&buffer, 3, &[0; 3]);
}
