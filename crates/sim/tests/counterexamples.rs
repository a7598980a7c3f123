//! C1, C2 and C3 of `spec/consensus.md` §1.9, replayed on real machines: the bare rules settle two chains, ours do not.

use vigil_consensus::Rules;
use vigil_sim::stage::Stage;
use vigil_sim::variants;

fn rules(name: &str) -> Rules {
    variants::find(name).unwrap()
}

/// C1, no lock. Numbers on the stage: V2 is 0, the traitor V4 is 1, V1 is 2, V3 is 3, so that the turns are those of
/// the table: V4, V1, V3, V2, V4, V1, V3, V2.
///
/// The whitepaper says nothing about ties: in epoch 4 V2 may extend A2 or B2. `twins` (seconds
/// in the timestamps of A1 and B1) makes other hashes; the second value tells whether V2 took A2, as in the table.
fn c1(rules: Rules, twins: (u64, u64)) -> (Stage, bool) {
    const V1: usize = 2;
    const V2: usize = 0;
    const V3: usize = 3;
    let mut stage = Stage::new(rules);
    let genesis = stage.genesis();
    // epoch 1: V4 equivocates; CC(A1) reaches V1 only
    let a1 = stage.traitor_block(genesis, genesis, twins.0, &[V1, V2]);
    let b1 = stage.traitor_block(genesis, genesis, twins.1, &[V3]);
    assert_eq!((stage.voters(a1), stage.voters(b1)), (vec![V2, 1, V1], vec![1, V3]));
    stage.next_epoch_with(&[(a1, V1)]);
    // epoch 2: A2 carries CC(A1), reaches V2, not V3; CC(A2) reaches V1 only, which settles A1 and is cut off
    let a2 = stage.honest_block(V1).expect("V1 proposes A2");
    stage.show(a2, &[V2]);
    stage.traitor_votes(a2);
    assert_eq!(stage.voters(a2), [V2, 1, V1]);
    assert!(stage.tell_cert(a2, &[V1]));
    assert_eq!(stage.settled(V1), [a1]);
    stage.next_epoch();
    // epoch 3: B2 on B1; V2 receives both: a tie with A2
    let b2 = stage.honest_block(V3).expect("V3 proposes B2");
    stage.show(b2, &[V2]);
    stage.next_epoch();
    // epoch 4: A3 on A2, delayed to V3
    let a3 = stage.honest_block(V2).expect("V2 proposes A3");
    let as_in_the_table = stage.parent(a3) == a2;
    stage.next_epoch();
    // epoch 5: B3 on B2, to V3
    let b3 = stage.traitor_block(b2, genesis, 0, &[V3]);
    stage.next_epoch();
    // epoch 6: V1's turn, silent
    stage.next_epoch();
    // epoch 7: B4 on B3, the longest fork for V2 and V3
    let mut told = Vec::new();
    if let Some(b4) = stage.honest_block(V3) {
        stage.show(b3, &[V2]);
        stage.show(b4, &[V2]);
        stage.traitor_votes(b4);
        told = [(b4, V2), (b4, V3)].into_iter().filter(|_| stage.is_certified(b4)).collect();
    }
    stage.next_epoch_with(&told);
    // epoch 8: B5 with CC(B4)
    if let Some(b5) = stage.honest_block(V2) {
        stage.show(b5, &[V3]);
        stage.traitor_votes(b5);
        stage.tell_cert(b5, &[V2, V3]);
    }
    (stage, as_in_the_table)
}

fn twins() -> impl Iterator<Item = (u64, u64)> {
    (0..8).flat_map(|a| (0..8).map(move |b| (a, b))).filter(|(a, b)| a != b)
}

#[test]
fn c1_the_whitepapers_bare_rules_settle_two_chains() {
    let mut replays = twins().map(|twins| c1(rules("bare-whitepaper"), twins));
    let (stage, _) = replays.find(|(_, as_in_the_table)| *as_in_the_table).expect("a tie that falls to A2");
    assert_eq!(stage.conflict(), Some(1), "V1 {:?}, V3 {:?}", stage.settled(2), stage.settled(3));
    assert_eq!(stage.settled(3).len(), 4, "B4 and its ancestors");
}

#[test]
fn c1_our_rules_settle_one() {
    for twins in twins().take(5) {
        let (stage, _) = c1(Rules::default(), twins);
        assert_eq!(stage.conflict(), None);
        assert_eq!(stage.settled(2).len(), 1, "V1 settled A1 all the same");
    }
}

/// C2, "two consecutive blocks both receive a certificate". The traitor is 1, the honest 0, 1, 2 of the trace are 0, 2, 3.
fn c2(rules: Rules) -> Stage {
    let (h0, h1, h2) = (0, 2, 3);
    let mut stage = Stage::new(rules);
    let genesis = stage.genesis();
    let a = stage.traitor_block(genesis, genesis, 0, &[h0, h1]);
    let a_twin = stage.traitor_block(genesis, genesis, 1, &[h2]);
    stage.to_traitors_turn();
    let b = stage.traitor_block(a, genesis, 0, &[h0, h1, h2]);
    assert_eq!((stage.voters(a), stage.voters(b)), (vec![0, 1, 2], vec![0, 1, 2, 3]));
    stage.to_traitors_turn();
    let x = stage.traitor_block(a_twin, genesis, 0, &[]);
    stage.to_traitors_turn();
    let c = stage.traitor_block(x, genesis, 0, &[h1, h2]);
    assert_eq!(stage.voters(c), [1, 2, 3]);
    stage.to_traitors_turn();
    let d = stage.traitor_block(c, c, 0, &[h0, h1]);
    assert_eq!(stage.voters(d), [0, 1, 2]);
    // h2 hears of A and B, the others of D
    assert!(stage.tell_cert(a, &[h2]) && stage.tell_cert(b, &[h2]));
    assert!(stage.tell_cert(d, &[h0, h1]));
    assert_eq!(stage.settled(h0).last(), Some(&c));
    stage
}

#[test]
fn c2_the_loose_reading_settles_two_chains() {
    assert_eq!(c2(rules("loose-settlement")).conflict(), Some(1));
}

#[test]
fn c2_the_direct_link_settles_one() {
    assert_eq!(c2(Rules::default()).conflict(), None);
}

/// C3, the epoch as the vote clock under ranks by height: two blocks of height 2 are certified, then both chains settle.
fn c3(rules: Rules) -> Stage {
    let (h0, h1, h2) = (0, 2, 3);
    let mut stage = Stage::new(rules);
    let genesis = stage.genesis();
    let a = stage.traitor_block(genesis, genesis, 0, &[h0, h1]);
    let a_twin = stage.traitor_block(genesis, genesis, 1, &[h2]);
    stage.to_traitors_turn();
    let b_twin = stage.traitor_block(a_twin, genesis, 0, &[h1, h2]);
    assert_eq!(stage.voters(b_twin), [1, 2, 3]);
    stage.to_traitors_turn();
    let b = stage.traitor_block(a, a, 0, &[h0, h1]);
    stage.tell_cert(b, &[h0]);
    stage.to_traitors_turn();
    let c_twin = stage.traitor_block(b_twin, b_twin, 0, &[h1, h2]);
    assert_eq!(stage.voters(c_twin), [1, 2, 3]);
    assert!(stage.tell_cert(c_twin, &[h1, h2]));
    assert_eq!(stage.settled(h2), [a_twin, b_twin]);
    stage
}

#[test]
fn c3_the_epoch_clock_settles_two_chains() {
    assert_eq!(c3(rules("epoch-clock")).conflict(), Some(1));
}

#[test]
fn c3_the_height_rule_settles_one() {
    assert_eq!(c3(Rules::default()).conflict(), None);
}
