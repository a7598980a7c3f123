//! What a certificate settles (§1.8), and the switches that settle too much (§1.9).

use super::bench::*;
use super::net::*;
use crate::*;

#[test]
fn a_direct_link_settles_the_parent() {
    let mut bench = Bench::new(4, 3);
    let g = bench.genesis();
    let a = bench.block(1, g, g);
    let b = bench.block(2, a, a);
    bench.propose(&a);
    assert_eq!(settled(&bench.certify(&a)), NONE, "genesis is settled already");
    bench.propose(&b);
    let effects = bench.certify(&b);
    assert_eq!(settled(&effects), [a]);
    let direct = effects.iter().any(|e| matches!(e, Effect::Settled(s) if s.blocks[0].direct));
    assert!(direct);
    assert_eq!(bench.machine.settled(), (1, a));
}

/// a and its child b are certified, but b carries genesis' certificate; c on b carries b's.
fn indirect(rules: Rules) -> (Bench, [vigil_primitives::Hash; 3]) {
    let mut bench = Bench::with(4, Some(3), rules, Disk::default());
    let g = bench.genesis();
    let a = bench.block(1, g, g);
    bench.propose(&a);
    bench.enter(2, 3);
    let b = bench.block(2, a, g);
    bench.propose(&b);
    bench.certify(&a);
    let c = bench.block(3, b, b);
    (bench, [a, b, c])
}

#[test]
fn two_certificates_without_the_link_settle_nothing() {
    let (mut bench, [a, b, c]) = indirect(Rules::default());
    assert_eq!(settled(&bench.certify(&b)), NONE);
    bench.propose(&c);
    let effects = bench.certify(&c);
    assert_eq!(settled(&effects), [a, b], "c's direct link to b settles both");
    let directs: Vec<bool> = effects
        .iter()
        .find_map(|e| match e {
            Effect::Settled(settled) => Some(settled.blocks.iter().map(|block| block.direct).collect()),
            _ => None,
        })
        .expect("settled");
    assert_eq!(directs, [false, true]);
}

#[test]
fn the_loose_variant_settles_without_the_link() {
    let (mut bench, [a, b, _]) = indirect(Rules { direct_link: false, ..Rules::default() });
    assert_eq!(settled(&bench.certify(&b)), [a]);
}

#[test]
fn an_old_certificate_still_settles_what_its_header_proves() {
    let mut bench = Bench::new(4, 3);
    let g = bench.genesis();
    let a = bench.block(1, g, g);
    let b = bench.block(2, a, a);
    let c = bench.block(5, b, a);
    bench.propose(&a);
    bench.propose(&b);
    bench.enter_with(5, 3, b);
    bench.propose(&c);
    assert_eq!(settled(&bench.certify(&c)), NONE, "not its parent's certificate");
    assert_eq!(settled(&bench.certify(&b)), [a], "lower than c, but linked");
}

#[test]
fn other_branches_are_discarded() {
    let mut bench = Bench::new(4, 3);
    let g = bench.genesis();
    let a = bench.block(1, g, g);
    let b = bench.block(2, a, a);
    let x = bench.block_by(1, 1, g, g, 1);
    for hash in [a, x] {
        bench.propose(&hash);
    }
    bench.propose(&b);
    let effects = bench.certify(&b);
    let discarded = effects.iter().find_map(|e| match e {
        Effect::Settled(settled) => Some(settled.discarded.clone()),
        _ => None,
    });
    assert_eq!(discarded, Some(vec![x]));
    assert!(bench.machine.meta(&x).is_none());
}

#[test]
fn a_certificate_may_come_before_its_block() {
    let mut bench = Bench::new(4, 3);
    let g = bench.genesis();
    let a = bench.block(1, g, g);
    let b = bench.block(2, a, a);
    bench.certify(&b);
    assert_eq!(bench.epoch(), 3);
    bench.feed(&b);
    assert_eq!(settled(&bench.feed(&a)), [a]);
}

#[test]
fn the_bare_variant_votes_only_for_its_longest_fork() {
    let rules = Rules { lock_rule: false, longest_fork: true, ..Rules::default() };
    let mut bench = Bench::with(4, Some(3), rules, Disk::default());
    let g = bench.genesis();
    let a = bench.block(1, g, g);
    bench.propose(&a);
    bench.certify(&a);
    let b = bench.block(2, a, a);
    assert_eq!(votes(&bench.propose(&b)), [b], "locked on a, by the rules");
    let x1 = bench.block_by(1, 1, g, g, 1);
    bench.feed(&x1);
    bench.enter_with(5, 3, b);
    let x2 = bench.block(5, x1, g);
    assert_eq!(votes(&bench.propose(&x2)), NONE, "a tie");
    bench.enter_with(6, 3, b);
    let x3 = bench.block(6, x2, g);
    assert_eq!(votes(&bench.propose(&x3)), [x3], "the whitepaper leaves its lock (C1)");
}

#[test]
fn the_epoch_clock_variant_goes_back_in_height() {
    let rules = Rules { epoch_clock: true, ..Rules::default() };
    let mut bench = Bench::with(4, Some(3), rules, Disk::default());
    let g = bench.genesis();
    let a = bench.block(1, g, g);
    bench.propose(&a);
    bench.enter_with(2, 3, a);
    let low = bench.block(2, g, g);
    assert_eq!(votes(&bench.propose(&low)), [low], "height 1 again (C3)");
}
