//! A second proposal of a turn that comes when the first one is settled, or its fork is given up.

use super::bench::*;
use super::net::*;
use crate::*;
use vigil_primitives::*;

fn is_signed(signer: &Address, digest: &Hash, signature: &Signature) -> bool {
    *signature == sign_as(signer, digest)
}

/// a(1, epoch 1) is settled by b(2, epoch 2).
fn settled_one() -> (Bench, Hash, [Hash; 2]) {
    let mut bench = Bench::new(4, 3);
    let g = bench.genesis();
    let a = bench.block(1, g, g);
    bench.propose(&a);
    bench.certify(&a);
    let b = bench.block(2, a, a);
    bench.propose(&b);
    assert_eq!(settled(&bench.certify(&b)), [a]);
    (bench, g, [a, b])
}

fn proves(effects: &[Effect], offender: usize, height: Height) {
    let [proof] = &evidence(effects)[..] else { panic!("{effects:?}") };
    proof.verify(&domain(), is_signed).expect("it proves");
    assert_eq!((proof.offender(), proof.height()), (address(offender), height));
    assert_eq!(penalties(effects), [], "who passes it on is not to blame");
}

#[test]
fn a_second_proposal_at_the_settled_height_is_proof_once() {
    let (mut bench, g, [a, _]) = settled_one();
    let rival = bench.block_by(1, 1, g, g, 7);
    proves(&bench.feed(&rival), 1, 1);
    assert!(bench.machine.meta(&rival).is_none());
    let third = bench.block_by(1, 1, g, g, 8);
    for again in [rival, third, a] {
        assert!(bench.propose(&again).is_empty(), "{again}");
    }
}

#[test]
fn a_second_proposal_of_a_settled_epoch_at_another_height_is_proof() {
    let (mut bench, g, _) = settled_one();
    let high = bench.custom(1, |header| {
        (header.epoch, header.height, header.parent) = (1, 5, Hash::repeat_byte(9));
        header.hcc = Hcc { votes: Vec::new(), block_hash: g };
    });
    proves(&bench.feed(&high), 1, 5);
}

#[test]
fn a_rival_of_a_block_that_was_given_up_is_proof() {
    let (mut bench, [g, ..]) = {
        let (mut bench, g, [a, b]) = settled_one();
        // Another fork of height 2, which goes when b is settled.
        bench.enter_with(3, 3, b);
        let other = bench.block(3, a, a);
        bench.propose(&other);
        bench.enter_with(5, 3, b);
        let c = bench.block(5, b, b);
        bench.propose(&c);
        assert_eq!(settled(&bench.certify(&c)), [b]);
        assert!(bench.machine.meta(&other).is_none(), "given up");
        (bench, [g, a, b])
    };
    let rival = bench.block_by(3, 3, g, g, 1);
    proves(&bench.feed(&rival), 3, 2);
}

#[test]
fn what_proves_nothing_is_blamed_on_its_sender() {
    let (mut bench, g, _) = settled_one();
    let rival = bench.block_by(1, 1, g, g, 7);
    let mut forged = bench.blocks[&rival].clone();
    forged.header.signature = sign_as(&address(2), &forged.header.sign_digest());
    let other_chain = bench.custom(1, |header| {
        (header.epoch, header.height, header.parent) = (1, 1, g);
        header.hcc = Hcc { votes: Vec::new(), block_hash: Hash::repeat_byte(3) };
    });
    for bad in [forged, bench.blocks[&other_chain].clone()] {
        let effects = bench.give(Message::Block(bad.into()));
        assert_eq!((evidence(&effects).len(), &penalties(&effects)[..]), (0, &[Penalty::BadBlock][..]));
    }
    let stranger = bench.block_by(2, 1, g, g, 7);
    assert!(bench.feed(&stranger).is_empty(), "nobody else's turn is looked at");
    proves(&bench.feed(&rival), 1, 1);
}
