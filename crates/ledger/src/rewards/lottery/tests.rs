use super::*;
use vigil_primitives::{BlsKeyBytes, Checkpoint, GUARDIAN_WEIGHT_MAX, GuardianSet, keccak256};
use vigil_trie::ScalarHasher;

fn winners(certified: &Certified, height: Height, slot: u64) -> Vec<Winner> {
    Lottery::new(certified, height).draw(&ScalarHasher, slot)
}

fn address(n: u64) -> Address {
    Address::from_slice(&keccak256(n.to_be_bytes())[..20])
}

/// Guardians of these weights, all of which signed the block of that seed.
fn certified(seed: u64, weights: impl IntoIterator<Item = u128>) -> Certified {
    let member = |(n, weight)| {
        let (head, tail) = (keccak256([n, seed].map(u64::to_be_bytes).concat()), keccak256(n.to_be_bytes()));
        let key = BlsKeyBytes::from_slice(&[head.as_slice(), &tail[..16]].concat());
        GuardianMember { address: address(n), key, weight }
    };
    let set = GuardianSet::new((0u64..).zip(weights).map(member).collect());
    let block_hash = keccak256(seed.to_be_bytes());
    let checkpoint = Checkpoint { resets: 0, height: 100, block_hash, set_hash: set.hash() };
    Certified { checkpoint, signers: vec![1; set.len()], set }
}

/// Ten winners a slot on average, each guardian in proportion to its weight. The tickets of a seed are fixed.
#[test]
fn ten_winners_are_expected() {
    const SLOTS: u64 = 400;
    for seed in 0..3 {
        let certified = certified(seed, (0..300).map(|n| if n % 3 == 0 { 5_000 } else { 1_000 }));
        let mut wins = [0u64; 2];
        for slot in 0..SLOTS {
            for winner in winners(&certified, 200, slot) {
                let at = certified.set.position(&winner.guardian).expect("a member");
                wins[usize::from(certified.set.members()[at].weight == 5_000)] += 1;
            }
        }
        // Binomial: 10 a slot in all, with a variance below that; five standard deviations.
        let (light, heavy) = (wins[0] as f64, wins[1] as f64);
        let expected = 10.0 * SLOTS as f64;
        eprintln!("seed {seed}: {light} light and {heavy} heavy winners, {expected} expected in all");
        assert!((light + heavy - expected).abs() < 5.0 * expected.sqrt());
        let share = heavy / (light + heavy);
        assert!((share - 5.0 / 7.0).abs() < 5.0 * (5.0 / 7.0 * 2.0 / 7.0 / expected).sqrt(), "{share}");
    }
}

#[test]
fn one_of_ten_and_more_always_wins() {
    let certified = certified(1, [10, 45, 45].map(|w| w * 1_000_000));
    for slot in 0..500 {
        assert_eq!(winners(&certified, 200, slot).len(), 3, "10 % of the weight is enough: {slot}");
    }
    let certified = self::certified(1, [99u128; 11]);
    let won: usize = (0..500).map(|slot| winners(&certified, 200, slot).len()).sum();
    assert!(won < 500 * 11 && won > 4_800, "10 of 11 on average: {won}");
}

/// The comparison is exact at the boundary.
#[test]
fn the_threshold_is_exact() {
    let wins = |digest: U256, weight, total| wins(&Hash::from(digest.to_be_bytes::<32>()), limit(weight, total));
    let one = U256::from(1);
    let half = one << 255;
    assert!(wins(half - one, 1, 20) && !wins(half, 1, 20));
    // A third of 2^256 is no whole number: the one below it wins.
    let third = U256::MAX / U256::from(3);
    assert!(wins(third, 1, 30) && !wins(third + one, 1, 30));
    assert!(wins(U256::ZERO, 1, u128::MAX) && !wins(U256::ZERO, 0, 1));
    // The largest numbers that can occur, and the least that always wins.
    let max = GUARDIAN_WEIGHT_MAX;
    assert!(wins(U256::MAX, max, 5 * max) && wins(U256::MAX, max, 10 * max) && !wins(U256::MAX, max, 10 * max + 1));
}

#[test]
fn only_signers_take_part_and_all_inputs_count() {
    let mut all = certified(4, [1u128; 40]);
    let of = |certified: &Certified, height, slot| -> Vec<Address> {
        winners(certified, height, slot).iter().map(|w| w.guardian).collect()
    };
    let first = of(&all, 200, 0);
    assert!(first.is_sorted() && !first.is_empty());
    assert_ne!(first, of(&all, 300, 0), "height");
    assert_ne!(first, of(&all, 200, 1), "slot");
    assert_ne!(first, of(&certified(5, [1u128; 40]), 200, 0), "block");
    all.signers.iter_mut().for_each(|entry| *entry = 7);
    assert_eq!(first, of(&all, 200, 0), "how often somebody signed does not count");
    let silent = all.set.position(&first[0]).expect("a member");
    all.signers[silent] = 0;
    assert_eq!(first[1..], of(&all, 200, 0), "who did not sign does not win, nor does it help others");
}

#[test]
fn slots_are_as_many_as_blocks_up_to_a_hundred() {
    let slots = |checkpoint_interval| slots(&ChainParams { checkpoint_interval, ..ChainParams::default() });
    assert_eq!([2, 99, 100, 101, 1_000_000].map(slots), [2, 99, 100, 100, 100]);
}

#[test]
fn stakes_are_drawn_by_amount() {
    let stake = |n, amount| Earning { holder: address(0), source: address(n), amount: U256::from(amount) };
    let stakes = [stake(1, 1u64), stake(2, 0), stake(3, 3)];
    let low = |first: u8| {
        let mut digest = Hash::repeat_byte(0);
        digest[16] = first;
        drawn(&stakes, &digest).expect("one").source
    };
    assert_eq!([0, 63, 64, 255].map(low), [address(1), address(1), address(3), address(3)]);
    assert_eq!(drawn(&stakes, &Hash::repeat_byte(0xff)).expect("one").source, address(3));
    assert!(drawn(&[], &Hash::ZERO).is_none());
    assert!(drawn(&[stake(1, 0)], &Hash::ZERO).is_none());
}

/// What 10,000 guardians cost a checkpoint block; printed, not judged.
#[test]
fn ten_thousand_guardians_draw() {
    let certified = certified(9, (0..10_000).map(|n| 1_000 + n % 77));
    let start = std::time::Instant::now();
    let mut lottery = Lottery::new(&certified, 200);
    let won: usize = (0..100).map(|slot| lottery.draw(&ScalarHasher, slot).len()).sum();
    eprintln!("100 slots of 10,000 guardians, hashed one after the other: {won} winners, {:?}", start.elapsed());
    assert!((800..1_200).contains(&won), "{won}");
}
