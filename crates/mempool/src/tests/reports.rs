//! Slash transactions: few, first, and not from liars.

use super::random::check;
use super::{Net, address, hashes, key, pay, signed, simple};
use crate::{Config, Refused};
use std::sync::Arc;
use vigil_crypto::VerifiedTx;
use vigil_ledger::{Proofs, code};
use vigil_primitives::{Coins, DepositStake, Evidence, Hash, Signature, Slash, Tx, TxInput, TxOutput, Vote};

/// Validator `n` votes twice at `height`.
fn fault(net: &Net, n: u16, height: u64) -> Evidence {
    let vote = |block: u8| {
        let unsigned = Vote {
            height,
            block_hash: Hash::repeat_byte(block),
            block_epoch: height,
            source_set: 0,
            source_height: 0,
            source_hash: Hash::ZERO,
            voter: address(n),
            signature: Signature::none(),
        };
        Vote { signature: key(n).sign(&unsigned.digest(net.proofs.domain())), ..unsigned }
    };
    Evidence::DoubleVote(vote(1), vote(2))
}

fn forged(net: &Net, n: u16) -> Evidence {
    let Evidence::DoubleVote(a, b) = fault(net, n, 1) else { unreachable!() };
    Evidence::DoubleVote(Vote { signature: b.signature.clone(), ..a }, b)
}

fn report(reporter: u16, sequence: u64, evidence: &Evidence) -> Arc<VerifiedTx> {
    let proposer = TxInput { address: address(reporter), sequence, ..TxInput::default() };
    let (slashed_address, slash_proof) = (evidence.offender(), evidence.to_bytes().into());
    signed(Tx::Slash(Slash { proposer, slashed_address, reserve_sequence: 0, slash_proof }), &[reporter])
}

fn stake(n: u16, sequence: u64) -> Arc<VerifiedTx> {
    let source = TxInput { address: address(n), coins: Coins::tokens(200_000, 0), sequence, ..TxInput::default() };
    let holder = TxOutput { address: address(n), coins: Coins::ZERO };
    let fee = Coins::tfuel(vigil_primitives::U256::from(super::FEE));
    signed(Tx::DepositStake(DepositStake { fee, source, holder, purpose: 0 }), &[n])
}

#[test]
fn a_report_comes_first_and_once() {
    let mut net = Net::new(Config::default());
    let rich = pay(&[(2, 1)], 1, 100_000);
    assert_eq!(net.pool.insert(0, rich.clone()), Ok(()));
    let first = report(3, 1, &fault(&net, 1, 1));
    assert_eq!(net.pool.insert(0, first.clone()), Ok(()));
    assert_eq!(net.all(), hashes(&[&first, &rich]));
    // The same fault by somebody else, and another fault of the same offender.
    for second in [report(4, 1, &fault(&net, 1, 1)), report(4, 1, &fault(&net, 1, 0))] {
        let refused = net.pool.insert(0, second).expect_err("accused already");
        assert_eq!(refused, Refused::Reported { offender: address(1), pending: first.hash() });
    }
    check(&net);
    net.settle(1, &[first]);
    let late = net.pool.insert(1, report(4, 1, &fault(&net, 1, 1))).expect_err("nothing is left");
    assert!(late.to_string().contains("has no stake"), "{late}");
    check(&net);
}

#[test]
fn a_report_that_others_have_settled_leaves() {
    let mut net = Net::new(Config::default());
    let ours = report(3, 1, &fault(&net, 1, 1));
    assert_eq!(net.pool.insert(0, ours.clone()), Ok(()));
    let theirs = report(4, 1, &fault(&net, 1, 1));
    let dropped = net.settle(1, &[theirs]);
    assert_eq!(dropped.iter().map(|(hash, _)| *hash).collect::<Vec<_>>(), [ours.hash()]);
    assert!(net.pool.is_empty());
    check(&net);
}

#[test]
fn a_report_waits_for_nothing() {
    let mut net = Net::new(Config::default());
    assert_eq!(net.pool.insert(0, simple(3, 1)), Ok(()));
    let refused = net.pool.insert(0, report(3, 2, &fault(&net, 1, 1))).expect_err("one is before it");
    assert_eq!(refused, Refused::NotNext { reporter: address(3), pending: 1 });
    // In the place of the one that is next it is welcome, whatever that one pays.
    let report = report(3, 1, &fault(&net, 1, 1));
    assert_eq!(net.pool.insert(0, report.clone()), Ok(()));
    assert_eq!(net.all(), [report.hash()]);
    assert!(matches!(net.pool.insert(0, pay(&[(3, 1)], 1, 10_000)), Err(Refused::Underpriced { .. })));
    check(&net);
}

#[test]
fn liars_are_not_heard_for_a_while() {
    let mut net = Net::new(Config { expiry_ms: 5_000, ..Config::default() });
    let lie = report(3, 1, &forged(&net, 1));
    let refused = net.pool.insert(0, lie).expect_err("forged");
    assert_eq!((refused.code(), refused.is_bad_signature()), (code::INVALID_SIGNATURE, true));
    let truth = report(3, 1, &fault(&net, 1, 1));
    assert_eq!(net.pool.insert(4_999, truth.clone()), Err(Refused::Liar { reporter: address(3), seconds: 5 }));
    assert_eq!(net.pool.insert(4_999, simple(3, 1)), Ok(()), "but it may pay");
    assert_eq!(net.pool.insert(5_000, truth), Ok(()));
    // Who does not sign the report itself does no harm to whom it names.
    let Tx::Slash(slash) = report(5, 1, &forged(&net, 1)).tx().clone() else { unreachable!() };
    let refused = net.pool.insert(5_000, signed(Tx::Slash(slash), &[6])).expect_err("accused already");
    assert!(matches!(refused, Refused::Reported { .. }), "{refused}");
}

#[test]
fn others_cannot_make_a_liar_of_somebody() {
    let mut net = Net::new(Config::default());
    let Tx::Slash(slash) = report(5, 1, &forged(&net, 1)).tx().clone() else { unreachable!() };
    let refused = net.pool.insert(0, signed(Tx::Slash(slash), &[6])).expect_err("another signature");
    assert!(refused.is_bad_signature());
    assert_eq!(net.pool.insert(0, report(5, 1, &fault(&net, 1, 1))), Ok(()));
}

#[test]
fn limit_of_reports() {
    let mut net = Net::new(Config { reports_max: 2, ..Config::default() });
    net.settle(0, &[stake(2, 1), stake(3, 1)]);
    for n in 1..3 {
        assert_eq!(net.pool.insert(0, report(10 + n, 1, &fault(&net, n, 1))), Ok(()));
    }
    let refused = net.pool.insert(0, report(20, 1, &fault(&net, 3, 1))).expect_err("a third");
    assert_eq!(refused, Refused::Full { what: "slash transactions", got: 3, max: 2 });
    check(&net);
}
