//! Multiplications of 32-bit words, by count; `kernels/README.md` tells the numbers.

use super::functions::products;
use super::rig::{Mode, Rig};
use super::signatures::{good, numbers, row, row_with_key, row_with_table, secret};
use crate::backend::detect;
use crate::gpu::start::Start;

const ITEMS: usize = 512;
/// As in `kernels/README.md`: recover, verify, verify by table. Which digits are 0 makes a difference of less than one in 100.
const TOLD: [u64; 3] = [127_400, 114_600, 38_500];

/// Products that an item takes.
fn each(work: impl FnOnce()) -> u64 {
    let before = products();
    work();
    (products() - before) / ITEMS as u64
}

#[test]
fn products_of_each_question() {
    let key = secret(&80u8.into());
    let public = key.public_key();
    let comb = detect()[0].build_combs(&[public]).remove(0).expect("a point");
    let items = good(&key, ITEMS, &mut numbers(25));
    let mut rig = Rig::new(&Start::random());
    // All items share one inversion.
    rig.inverters = 1;
    let rows: Vec<_> = items.iter().map(row).collect();
    let recover = each(|| drop(rig.recovered_once(&rows)));
    let rows: Vec<_> = items.iter().map(|item| row_with_key(item, &public)).collect();
    let known = each(|| drop(rig.known(Mode::Known, &rows, &[])));
    let rows: Vec<_> = items.iter().map(|item| row_with_table(item, 0)).collect();
    let hot = each(|| drop(rig.known(Mode::Hot, &rows, &[&comb])));
    eprintln!("products of 32-bit words: recover {recover}, verify {known}, by table {hot}");
    for (count, told) in [recover, known, hot].into_iter().zip(TOLD) {
        assert!(count.abs_diff(told) < told / 100, "{count}, {told} were told");
    }
}
