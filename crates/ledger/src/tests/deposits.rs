//! Stakes: deposits, withdrawals, returns, the set.

use super::actors::{
    Chain, FEE, address, deposit, fee, input, key, output, params, send, signed, stranger, try_on, withdraw,
};
use crate::stake::{StakeHeights, sorted_pool, validator_set};
use crate::{TxError, code, keys, queries};
use std::sync::Arc;
use vigil_crypto::{VerifiedTx, bls};
use vigil_primitives::{
    Address, Bytes, ChainParams, Coins, DepositStakeV2, Hash, Signature, Stake, StakeHolder, Tx, U256, WithdrawStake,
};

fn theta(tokens: u64) -> U256 {
    Coins::tokens(tokens, 0).theta
}

fn code_of(result: Result<(), TxError>) -> u32 {
    result.map_or_else(|error| error.code, |()| 0)
}

fn bls_key(n: u8) -> bls::SecretKey {
    bls::SecretKey::from_bytes(&[n; 32]).expect("a key")
}

/// A version 2 deposit of person `from` with person `holder`, whose BLS key is number `bls`.
fn deposit_v2(from: u16, sequence: u64, holder: u16, bls: u8, coins: Coins) -> DepositStakeV2 {
    DepositStakeV2 {
        fee: fee(),
        source: input(from, coins, sequence),
        holder: output(address(holder), Coins::ZERO),
        purpose: if coins.tfuel.is_zero() { 1 } else { 2 },
        bls_pubkey: Bytes::copy_from_slice(&bls_key(bls).public_key().to_bytes()),
        bls_pop: Bytes::copy_from_slice(&bls_key(bls).prove_possession().to_bytes()),
        holder_sig: Signature::none(),
    }
}

/// The holder signs its proof, then the source signs all.
fn sign_v2(params: &ChainParams, tx: DepositStakeV2, from: u16, holder: u16) -> Arc<VerifiedTx> {
    let mut tx = Tx::DepositStakeV2(tx);
    vigil_crypto::sign_tx(&params.chain_id, &mut tx, 1, &key(holder)).expect("a slot");
    signed(params, tx, &[from])
}

#[test]
fn a_validator_comes_and_goes() {
    let mut chain = Chain::new(params(), 3);
    let built = chain.step_all(&[deposit(&chain.params, 2, 1, address(2), theta(200_000))]);
    assert!(built.outcome.validators_changed);
    let mut expected = vec![(address(1), theta(1_000_000)), (address(2), theta(200_000))];
    expected.sort_unstable();
    assert_eq!(chain.validators, expected);
    assert_eq!(chain.account(&address(2)).balance.theta, theta(9_800_000));

    let built = chain.step_all(&[withdraw(&chain.params, 2, 2, address(2))]);
    assert!(built.outcome.validators_changed, "withdrawn stake stops counting at once");
    assert_eq!(chain.validators, [(address(1), theta(1_000_000))]);
    assert_eq!(queries::stake_heights(&chain.head.state).expect("reads"), [0, 1, 2]);

    // Withdrawn in block 2 on parent 1 with a locking period of 4: returns in the block whose parent has height 5.
    chain.run_to(5);
    assert_eq!(chain.account(&address(2)).balance.theta, theta(9_800_000));
    let again = deposit(&chain.params, 2, 3, address(2), theta(200_000));
    let refused = chain.try_tx(&again).expect_err("locked");
    assert!(refused.text.contains("Cannot deposit during the withdrawal locking period"), "{refused}");
    let built = chain.step(&[]);
    assert_eq!(chain.account(&address(2)).balance.theta, theta(10_000_000));
    assert!(!built.outcome.validators_changed, "the set is as before, though the pool lost a candidate");
    let pool = queries::validator_pool(&chain.head.state).expect("reads").expect("a pool");
    assert_eq!(pool.sorted_candidates.len(), 1, "no stakes, no candidate");
    chain.step_all(&[again]);
    assert_eq!(chain.validators, expected);
}

#[test]
fn deposit_limits() {
    let mut chain = Chain::new(params(), 2);
    let try_amount = |chain: &Chain, amount| code_of(chain.try_tx(&deposit(&chain.params, 2, 1, address(2), amount)));
    let one = U256::from(1);
    assert_eq!(try_amount(&chain, theta(200_000) - one), code::INSUFFICIENT_STAKE);
    assert_eq!(try_amount(&chain, theta(200_000)), 0);
    assert_eq!(try_amount(&chain, theta(10_000_000)), 0, "everything");
    assert_eq!(try_amount(&chain, theta(10_000_000) + one), code::INSUFFICIENT_FUND);
    assert_eq!(try_amount(&chain, U256::MAX), code::INSUFFICIENT_FUND);
    // The fee is tested apart from the coins of the input: spend the operational token first.
    let all = Coins::tfuel(Coins::tokens(0, 50_000_000).tfuel - U256::from(2 * FEE - 1));
    chain.step_all(&[send(&chain.params, 2, 1, stranger(1), all)]);
    let refused = chain.try_tx(&deposit(&chain.params, 2, 2, address(2), theta(200_000))).expect_err("no fee left");
    assert_eq!(refused.code, code::INSUFFICIENT_STAKE);
    assert!(refused.text.starts_with("DepositStake: Source balance is 10000000000000000000000000 ThetaWei, "));
    let refused = chain.try_tx(&withdraw(&chain.params, 2, 2, address(2))).expect_err("no fee left");
    assert_eq!(refused.code, code::GENERIC);
}

#[test]
fn guardians_register_a_key() {
    let mut chain = Chain::new(params(), 4);
    let coins = Coins::tokens(1_000, 0);
    let good = deposit_v2(2, 1, 3, 1, coins);
    let text = |tx: DepositStakeV2, holder| {
        let tx = sign_v2(&chain.params, tx, 2, holder);
        chain.try_tx(&tx).map_or_else(|e| e.text, |()| "ok".into())
    };
    assert_eq!(text(good.clone(), 3), "ok");
    assert_eq!(text(good.clone(), 4), "BLS key info is not properly signed");
    assert_eq!(text(DepositStakeV2 { bls_pubkey: Bytes::new(), ..good.clone() }, 3), "Must provide BLS Pubkey");
    assert_eq!(text(DepositStakeV2 { bls_pop: Bytes::new(), ..good.clone() }, 3), "Must provide BLS POP");
    let other = Bytes::copy_from_slice(&bls_key(2).prove_possession().to_bytes());
    assert_eq!(text(DepositStakeV2 { bls_pop: other, ..good.clone() }, 3), "BLS pop is invalid");
    assert_eq!(text(DepositStakeV2 { bls_pop: vec![7; 96].into(), ..good.clone() }, 3), "BLS pop is invalid");
    let unsigned = signed(&chain.params, Tx::DepositStakeV2(good.clone()), &[2]);
    assert_eq!(chain.try_tx(&unsigned).expect_err("unsigned").text, "Must provide Holder Signature");

    let built = chain.step_all(&[sign_v2(&chain.params, good, 2, 3)]);
    assert!(!built.outcome.validators_changed);
    let taken = sign_v2(&chain.params, deposit_v2(2, 2, 4, 1, coins), 2, 4);
    let refused = chain.try_tx(&taken).expect_err("one key, one guardian");
    assert!(refused.text.starts_with("BLS pubkey is already used by guardian"), "{refused}");
    // A known holder needs no key any more.
    let top_up = DepositStakeV2 { bls_pubkey: Bytes::new(), bls_pop: Bytes::new(), ..deposit_v2(2, 2, 3, 1, coins) };
    chain.step_all(&[signed(&chain.params, Tx::DepositStakeV2(top_up), &[2])]);
    let pool = queries::guardian_pool(&chain.head.state).expect("reads").expect("a pool");
    assert_eq!(pool.sorted_guardians[0].holder.total_stake(), Some(theta(2_000)));
}

/// Two new guardians of one block may not share a key either, and a refused one leaves its key free.
#[test]
fn keys_are_unique_within_a_block() {
    let mut chain = Chain::new(params(), 5);
    let coins = Coins::tokens(1_000, 0);
    let tx = |from, holder, bls| sign_v2(&chain.params, deposit_v2(from, 1, holder, bls, coins), from, holder);
    let poor = sign_v2(&chain.params, deposit_v2(4, 1, 4, 2, Coins::tokens(11_000_000, 0)), 4, 4);
    let txs = [tx(2, 2, 1), tx(3, 3, 1), poor, tx(5, 5, 2)];
    let built = chain.step(&txs);
    let dropped: Vec<Hash> = built.dropped.iter().map(|(hash, _)| *hash).collect();
    assert_eq!(dropped, [txs[1].hash(), txs[2].hash()]);
    assert!(built.dropped[0].1.text.starts_with("BLS pubkey is already used by guardian"), "{}", built.dropped[0].1);
    let pool = queries::guardian_pool(&chain.head.state).expect("reads").expect("a pool");
    let holders: Vec<Address> = pool.sorted_guardians.iter().map(|g| g.holder.holder).collect();
    let mut expected = vec![address(2), address(5)];
    expected.sort_unstable();
    assert_eq!(holders, expected, "by address");
}

/// A block without stakes before one with: the pool is read when it is needed, not taken for empty.
#[test]
fn other_transactions_first() {
    let mut chain = Chain::new(params(), 3);
    let txs =
        [send(&chain.params, 2, 1, stranger(1), Coins::ZERO), deposit(&chain.params, 2, 2, address(2), theta(200_000))];
    chain.step_all(&txs);
    assert_eq!(chain.validators.len(), 2);
}

/// What comes and goes in one block, in several steps, is in the lists once each.
#[test]
fn several_stake_changes_of_one_block() {
    let mut chain = Chain::new(params(), 3);
    let stake = |from, sequence, holder| deposit(&chain.params, from, sequence, address(holder), theta(200_000));
    let txs = [stake(2, 1, 2), stake(3, 1, 2), stake(2, 2, 2), withdraw(&chain.params, 3, 2, address(2))];
    chain.step_all(&txs);
    assert_eq!(queries::stake_heights(&chain.head.state).expect("reads"), [0, 1, 1, 1, 1]);
    let mut expected = vec![(address(1), theta(1_000_000)), (address(2), theta(400_000))];
    expected.sort_unstable();
    assert_eq!(chain.validators, expected);
    let node = |from, sequence, bls| deposit_v2(from, sequence, from, bls, Coins::tokens(0, 10_000));
    let nodes = [sign_v2(&chain.params, node(2, 3, 1), 2, 2), sign_v2(&chain.params, node(3, 3, 2), 3, 3)];
    chain.step_all(&nodes);
    let back = |from, sequence| {
        let (source, holder) = (input(from, Coins::ZERO, sequence), output(address(from), Coins::ZERO));
        let tx = WithdrawStake { fee: fee(), source, holder, purpose: 2 };
        signed(&chain.params, Tx::WithdrawStake(tx), &[from])
    };
    let txs = [back(2, 4), back(3, 4)];
    chain.step_all(&txs);
    chain.run_to(8);
    assert_eq!(queries::edge_nodes(&chain.head.state, &Address::ZERO, 10).expect("reads"), [], "both are back");
}

/// The tail of a deposit costs nothing, so its size is fixed; a validator's deposit does not even sign it.
#[test]
fn the_tail_of_a_deposit_has_its_size_or_is_absent() {
    let mut chain = Chain::new(params(), 3);
    let coins = Coins::tokens(1_000, 0);
    chain.step_all(&[sign_v2(&chain.params, deposit_v2(2, 1, 3, 1, coins), 2, 3)]);
    let good = deposit_v2(2, 2, 3, 1, coins);
    let junk = || Bytes::from(vec![7; 200_000]);
    let refused = |tx: DepositStakeV2| {
        let tx = signed(&chain.params, Tx::DepositStakeV2(tx), &[2]);
        chain.try_tx(&tx).map_or_else(|e| e.text, |()| "taken".into())
    };
    assert_eq!(refused(good.clone()), "taken", "a known holder: nobody looks at them");
    let key = refused(DepositStakeV2 { bls_pubkey: junk(), ..good.clone() });
    assert_eq!(key, "BLS pubkey has 200000 bytes, must have 48 or none");
    let pop = refused(DepositStakeV2 { bls_pop: vec![7; 97].into(), ..good.clone() });
    assert_eq!(pop, "BLS POP has 97 bytes, must have 96 or none");
    let holder = refused(DepositStakeV2 { holder_sig: Signature(vec![7; 64].into()), ..good.clone() });
    assert_eq!(holder, "holder signature has 64 bytes, must have 65 or none");
    let stake = Coins::tokens(200_000, 0);
    let (bls_pubkey, bls_pop) = (Bytes::new(), Bytes::new());
    let validator = DepositStakeV2 { purpose: 0, bls_pubkey, bls_pop, ..deposit_v2(2, 2, 3, 1, stake) };
    assert_eq!(refused(validator.clone()), "taken");
    let relayed = refused(DepositStakeV2 { bls_pubkey: vec![7; 48].into(), ..validator });
    assert_eq!(relayed, "A validator deposit has no BLS pubkey, this one has 48 bytes");
}

#[test]
fn guardian_cap() {
    let mut chain = Chain::new(ChainParams { guardian_stake_max: 2_000, ..params() }, 2);
    let tx = |chain: &Chain, sequence, wei: U256| {
        sign_v2(&chain.params, deposit_v2(2, sequence, 1, 1, Coins::theta(wei)), 2, 1)
    };
    let over = tx(&chain, 1, theta(2_000) + U256::from(1));
    assert_eq!(code_of(chain.try_tx(&over)), code::STAKE_EXCEEDS_CAP);
    assert_eq!(code_of(chain.try_tx(&tx(&chain, 1, theta(2_000)))), 0);
    chain.step_all(&[tx(&chain, 1, theta(1_000))]);
    assert_eq!(code_of(chain.try_tx(&tx(&chain, 2, theta(1_000)))), 0);
    assert_eq!(code_of(chain.try_tx(&tx(&chain, 2, theta(1_000) + U256::from(1)))), code::STAKE_EXCEEDS_CAP);
}

#[test]
fn guardians_and_edge_nodes_get_their_stake_back() {
    let mut chain = Chain::new(params(), 3);
    let node = sign_v2(&chain.params, deposit_v2(2, 2, 3, 2, Coins::tokens(0, 10_000)), 2, 3);
    let guardian = sign_v2(&chain.params, deposit_v2(2, 1, 3, 1, Coins::tokens(1_000, 0)), 2, 3);
    chain.step_all(&[guardian, node]);
    let before = chain.account(&address(2)).balance;
    assert_eq!(before.theta, theta(9_999_000));
    let back = |sequence, purpose| {
        let source = input(2, Coins::ZERO, sequence);
        let tx = WithdrawStake { fee: fee(), source, holder: output(address(3), Coins::ZERO), purpose };
        signed(&chain.params, Tx::WithdrawStake(tx), &[2])
    };
    let txs = [back(3, 1), back(4, 2)];
    chain.step_all(&txs);
    chain.run_to(6);
    let fees = U256::from(2 * FEE);
    let after = chain.account(&address(2)).balance;
    assert_eq!(after.theta, theta(10_000_000));
    assert_eq!(after.tfuel, before.tfuel - fees + Coins::tokens(0, 10_000).tfuel);
    assert_eq!(queries::edge_node(&chain.head.state, &address(3)).expect("reads"), None);
    assert_eq!(queries::edge_nodes(&chain.head.state, &Address::ZERO, 10).expect("reads"), []);
    let pool = queries::guardian_pool(&chain.head.state).expect("reads").expect("a pool");
    assert_eq!(pool.sorted_guardians, []);
}

/// When the last validator leaves, the set in force goes on: a chain without validators could never name new ones.
#[test]
fn an_empty_set_changes_nothing() {
    let mut chain = Chain::new(params(), 2);
    let built = chain.step_all(&[withdraw(&chain.params, 1, 1, address(1))]);
    assert!(!built.outcome.validators_changed && built.outcome.validators.is_empty());
    chain.run_to(5);
    let built = chain.step_all(&[deposit(&chain.params, 2, 1, address(2), theta(200_000))]);
    assert!(built.outcome.validators_changed);
    assert_eq!(chain.validators, [(address(2), theta(200_000))]);
}

#[test]
fn ties_are_broken_by_the_checksummed_text() {
    let stake = |source| Stake { source, amount: theta(1), withdrawn: false, return_height: u64::MAX };
    let holders: Vec<Address> = (0..200).map(stranger).chain((1..50).map(address)).collect();
    let candidates = holders.iter().map(|h| StakeHolder { holder: *h, stakes: vec![stake(*h)] }).collect();
    let pool = sorted_pool(candidates);
    let texts: Vec<String> = pool.sorted_candidates.iter().map(|c| c.holder.to_checksum(None)).collect();
    assert!(texts.windows(2).all(|pair| pair[0] > pair[1]));
    let raw_order = pool.sorted_candidates.windows(2).all(|pair| pair[0].holder > pair[1].holder);
    assert!(!raw_order, "letter case changes the order");
    let set = validator_set(&pool, 31);
    assert_eq!(set.len(), 31);
    assert!(set.windows(2).all(|pair| pair[0].0 < pair[1].0), "by raw address");
    assert_eq!(validator_set(&pool, 1).first().map(|(a, _)| *a), Some(pool.sorted_candidates[0].holder));
}

#[test]
fn a_refused_deposit_leaves_nothing() {
    let chain = Chain::new(params(), 2);
    let mut view = chain.view();
    // Refused only after the pools were looked at: no such stake.
    let refused = try_on(&mut view, &chain, &withdraw(&chain.params, 2, 1, address(1))).expect_err("no stake");
    assert!(refused.text.contains("no matched stake source address found"), "{refused}");
    assert!(!view.tx_writes_validators());
    assert!(view.written_accounts().is_empty());
    let heights: StakeHeights = view.get(keys::STAKE_HEIGHTS).expect("reads").expect("a list");
    assert_eq!(heights.heights, [0]);
}
