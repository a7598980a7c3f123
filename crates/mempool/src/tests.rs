//! The pool on the ledger's own screen.

mod evict;
mod limits;
mod random;
mod reports;

use crate::{Base, Config, Mempool, Refused, TxStatus};
use std::collections::HashMap;
use std::sync::Arc;
use vigil_crypto::{SecretKey, TxDomain, VerifiedTx, sign_tx, verify_tx};
use vigil_ledger::{
    BlockOutcome, Env, NoAncestors, Parent, Proposal, ScalarProofs, Screen, State, Supply, build_block, genesis_state,
};
use vigil_primitives::{
    Address, BlockHeader, Bytes, ChainParams, Coinbase, Coins, Genesis, GenesisAccount, GenesisStake, Hash, Send,
    SignDomain, Tx, TxInput, TxOutput, U256,
};
use vigil_trie::ScalarHasher;

const FEE: u64 = 300_000_000_000_000_000;
const PEOPLE: u16 = 40;

type Pool = Mempool<Screen>;

fn key(n: u16) -> SecretKey {
    let mut bytes = [9u8; 32];
    bytes[30..].copy_from_slice(&n.to_be_bytes());
    SecretKey::from_bytes(&bytes).expect("a key")
}

fn address(n: u16) -> Address {
    key(n).address()
}

fn signed(mut tx: Tx, signers: &[u16]) -> Arc<VerifiedTx> {
    let params = ChainParams::default();
    for (slot, signer) in signers.iter().enumerate() {
        sign_tx(&params.chain_id, &mut tx, slot, &key(*signer)).expect("a slot");
    }
    let domain = TxDomain { chain_id: params.chain_id, forks: params.forks };
    Arc::new(verify_tx(&domain, tx.to_raw().into()).expect("decodes"))
}

/// Sends `wei` of the operational token to nobody, with `percent` of the least fee a payer and a payee.
fn pay(payers: &[(u16, u64)], wei: u64, percent: u64) -> Arc<VerifiedTx> {
    let accounts = (payers.len() as u64 + 1).max(2);
    let fee = U256::from(FEE / 200) * U256::from(accounts * percent);
    let total = fee + U256::from(wei);
    let share = total / U256::from(payers.len());
    let first = total - share * U256::from(payers.len() - 1);
    let input = |(i, (n, sequence)): (usize, &(u16, u64))| {
        let coins = Coins::tfuel(if i == 0 { first } else { share });
        TxInput { address: address(*n), coins, sequence: *sequence, ..TxInput::default() }
    };
    let inputs = payers.iter().enumerate().map(input).collect();
    let outputs = vec![TxOutput { address: Address::repeat_byte(0xee), coins: Coins::tfuel(U256::from(wei)) }];
    let signers: Vec<u16> = payers.iter().map(|(n, _)| *n).collect();
    signed(Tx::Send(Send { fee: Coins::tfuel(fee), inputs, outputs }), &signers)
}

fn simple(n: u16, sequence: u64) -> Arc<VerifiedTx> {
    pay(&[(n, sequence)], sequence, 100)
}

/// A chain and a pool on its settled head.
struct Net {
    params: ChainParams,
    proofs: ScalarProofs,
    head: Parent,
    pool: Pool,
}

impl Net {
    fn new(config: Config) -> Self {
        let params = ChainParams::default();
        let coins = Coins::tokens(1_000_000, 1_000_000);
        let account = |n| GenesisAccount { address: address(n), theta: coins.theta, tfuel: coins.tfuel };
        let stake = GenesisStake { source: address(1), holder: address(1), amount: Coins::tokens(200_000, 0).theta };
        let accounts = (1..=PEOPLE).map(account).collect();
        let genesis =
            Genesis { params: params.clone(), timestamp: 1, accounts, stakes: vec![stake], guardians: Vec::new() };
        let made = genesis_state(&genesis, &ScalarHasher).expect("a genesis");
        let nodes: HashMap<Hash, Bytes> = made.nodes.into_iter().collect();
        let state = State::open(made.header.state_root, Arc::new(nodes));
        let domain = SignDomain { chain_id: params.chain_id.clone(), genesis_hash: made.header.hash() };
        let proofs = ScalarProofs::new(domain, &params);
        let screen = Screen::new(Arc::new(params.clone()), Arc::new(proofs.clone()), state.clone(), 0);
        let pool = Mempool::new(config, screen);
        Self { params, proofs, head: Parent { height: 0, timestamp: 1, state, supply: Supply::default() }, pool }
    }

    fn build(&self, parent: &Parent, txs: &[Arc<VerifiedTx>]) -> (BlockHeader, BlockOutcome) {
        let height = parent.height + 1;
        let header = BlockHeader {
            height,
            timestamp: 2,
            proposer: address(1),
            chain_id: self.params.chain_id.clone(),
            ..BlockHeader::default()
        };
        let sign = |digest: &Hash| key(1).sign(digest);
        let proposal = Proposal { header, allow_set_change: true, candidates: txs, sign: &sign };
        let env = Env { params: &self.params, hasher: &ScalarHasher, proofs: &self.proofs, ancestors: &NoAncestors };
        let built = build_block(&env, parent, proposal).expect("builds");
        assert_eq!(built.dropped, []);
        (built.block.header, built.outcome)
    }

    /// Settles a block of these transactions; returns what was dropped since the last time.
    fn settle(&mut self, now: u64, txs: &[Arc<VerifiedTx>]) -> Vec<(Hash, Refused)> {
        let (header, outcome) = self.build(&self.head, txs);
        self.head = outcome.as_parent(&header);
        let hashes: Vec<Hash> = txs.iter().map(|tx| tx.hash()).collect();
        let base = Base { state: outcome.state.clone(), height: header.height };
        self.pool.on_settled(now, base, &hashes, &outcome.touched);
        self.pool.take_dropped()
    }

    /// What was dropped since the last time, with the reasons.
    fn dropped(&mut self) -> Vec<(Hash, String)> {
        self.pool.take_dropped().into_iter().map(|(hash, reason)| (hash, reason.to_string())).collect()
    }

    fn all(&self) -> Vec<Hash> {
        let picked = self.pool.candidates(usize::MAX, usize::MAX, |_| false);
        picked.iter().map(|tx| tx.hash()).collect()
    }
}

fn hashes(txs: &[&Arc<VerifiedTx>]) -> Vec<Hash> {
    txs.iter().map(|tx| tx.hash()).collect()
}

fn code(result: Result<(), Refused>) -> u32 {
    result.map_or_else(|refused| refused.code(), |()| 0)
}

#[test]
fn admission() {
    let mut net = Net::new(Config::default());
    let (a1, a2) = (simple(2, 1), simple(2, 2));
    assert_eq!(code(net.pool.insert(0, a2.clone())), 100_002, "a gap");
    assert_eq!(net.pool.status(&a2.hash()), TxStatus::Unknown);
    assert_eq!(net.pool.insert(0, a1.clone()), Ok(()));
    assert_eq!(net.pool.insert(0, a1.clone()), Err(Refused::Seen));
    assert_eq!(net.pool.insert(0, a2.clone()), Ok(()), "a refusal is not remembered");
    assert_eq!(Refused::Seen.to_string(), "Transaction already seen");
    assert_eq!((net.pool.len(), net.pool.bytes()), (2, a1.raw().len() + a2.raw().len()));
    assert_eq!(net.pool.status(&a1.hash()), TxStatus::Pending);
    let coinbase =
        Coinbase { proposer: TxInput { address: address(1), ..TxInput::default() }, outputs: vec![], block_height: 0 };
    let refused = net.pool.insert(0, signed(Tx::Coinbase(coinbase), &[1])).expect_err("proposers only");
    assert_eq!((refused.code(), &*refused.to_string()), (100_005, "Unauthorized transaction, should skip"));
    let forged = signed(simple(3, 1).tx().clone(), &[4]);
    assert_eq!(code(net.pool.insert(0, forged)), 100_001);
}

#[test]
fn best_price_first_and_sequences_in_order() {
    let mut net = Net::new(Config::default());
    let low = pay(&[(2, 1)], 1, 100);
    let dear = pay(&[(2, 2)], 1, 900);
    let mid = pay(&[(3, 1)], 1, 300);
    let other = pay(&[(4, 1)], 1, 100);
    for tx in [&low, &dear, &mid, &other] {
        assert_eq!(net.pool.insert(0, tx.clone()), Ok(()));
    }
    assert_eq!(net.all(), hashes(&[&mid, &low, &dear, &other]), "equal prices: first come");
    let two = net.pool.candidates(2, usize::MAX, |_| false);
    assert_eq!(two.len(), 2);
    let bytes = two.iter().map(|tx| tx.raw().len()).sum::<usize>();
    assert_eq!(net.pool.candidates(9, bytes, |_| false).len(), 2, "at");
    assert_eq!(net.pool.candidates(9, bytes - 1, |_| false).len(), 1, "below");
    assert_eq!(net.pool.candidates(0, bytes, |_| false).len(), 0);
    let picked = net.pool.candidates(9, usize::MAX, |hash| *hash == low.hash());
    assert_eq!(picked.iter().map(|tx| tx.hash()).collect::<Vec<_>>(), hashes(&[&mid, &dear, &other]), "in flight");
    assert_eq!(net.pool.len(), 4, "nothing is removed");
}

#[test]
fn what_is_taken_can_be_built_on_unsettled_blocks() {
    let mut net = Net::new(Config::default());
    let txs: Vec<_> = (1..=4).map(|s| simple(2, s)).collect();
    txs.iter().for_each(|tx| assert_eq!(net.pool.insert(0, tx.clone()), Ok(())));
    let first = net.pool.candidates(2, usize::MAX, |_| false);
    let (header, outcome) = net.build(&net.head, &first);
    let in_flight: Vec<Hash> = first.iter().map(|tx| tx.hash()).collect();
    let second = net.pool.candidates(9, usize::MAX, |hash| in_flight.contains(hash));
    assert_eq!(second.len(), 2);
    net.build(&outcome.as_parent(&header), &second);
}

#[test]
fn replacement_pays_ten_per_cent_more() {
    let mut net = Net::new(Config::default());
    let (old, next) = (pay(&[(2, 1)], 5, 100), simple(2, 2));
    assert_eq!(net.pool.insert(0, old.clone()), Ok(()));
    assert_eq!(net.pool.insert(0, next.clone()), Ok(()));
    let refused = net.pool.insert(0, pay(&[(2, 1)], 5, 109)).expect_err("9 %");
    assert!(matches!(refused, Refused::Underpriced { percent: 110, .. }), "{refused}");
    let same = pay(&[(2, 1)], 6, 100);
    assert!(matches!(net.pool.insert(0, same), Err(Refused::Underpriced { .. })));
    let new = pay(&[(2, 1)], 5, 110);
    assert_eq!(net.pool.insert(0, new.clone()), Ok(()));
    assert_eq!(net.all(), hashes(&[&new, &next]), "its successor stays");
    assert_eq!((net.pool.status(&old.hash()), net.pool.status(&new.hash())), (TxStatus::Abandoned, TxStatus::Pending));
    // A replacement that nobody signed, or that the account cannot pay, changes nothing.
    let forged = signed(pay(&[(2, 1)], 5, 500).tx().clone(), &[3]);
    assert_eq!(code(net.pool.insert(0, forged)), 100_002);
    let poor = pay(&[(2, 1)], 5, 1_000_000_000);
    assert_eq!(code(net.pool.insert(0, poor)), 100_003);
    assert_eq!(net.all(), hashes(&[&new, &next]));
    assert_eq!(net.pool.insert(0, simple(2, 3)), Ok(()), "and the debits stand");
}

#[test]
fn a_replacement_that_spends_what_its_successors_need() {
    let mut net = Net::new(Config::default());
    let half = 500_000u64;
    let big = |sequence, percent| {
        // Theta moves here, so that amounts of half the balance fit.
        let fee = U256::from(FEE / 100) * U256::from(percent as u64);
        let coins = Coins::tokens(half, 0);
        let paid = Coins::new(coins.theta, fee);
        let inputs = vec![TxInput { address: address(2), coins: paid, sequence, ..TxInput::default() }];
        let outputs = vec![TxOutput { address: Address::repeat_byte(0xee), coins }];
        signed(Tx::Send(Send { fee: Coins::tfuel(fee), inputs, outputs }), &[2])
    };
    let (first, second, third) = (simple(2, 1), big(2, 100), big(3, 100));
    for tx in [&first, &second, &third] {
        assert_eq!(net.pool.insert(0, tx.clone()), Ok(()));
    }
    let new = big(1, 200);
    assert_eq!(net.pool.insert(0, new.clone()), Ok(()));
    assert_eq!(net.all(), hashes(&[&new, &second]), "the third cannot be paid any more");
    let [(replaced, why), (poor, _)] = &net.dropped()[..] else { panic!("both are told") };
    assert_eq!((*replaced, *poor), (first.hash(), third.hash()));
    assert_eq!(
        *why,
        format!("replaced by {}, which pays more. A block that holds it already may still settle it", new.hash())
    );
    assert_eq!(net.pool.status(&third.hash()), TxStatus::Abandoned);
}

#[test]
fn settlement() {
    let mut net = Net::new(Config::default());
    let txs: Vec<_> = (1..=3).map(|s| simple(2, s)).collect();
    let other = simple(3, 1);
    for tx in txs.iter().chain([&other]) {
        assert_eq!(net.pool.insert(0, tx.clone()), Ok(()));
    }
    assert_eq!(net.settle(1, &txs[..1]), []);
    assert_eq!(net.pool.status(&txs[0].hash()), TxStatus::Unknown, "settled");
    assert_eq!(net.all(), hashes(&[&txs[1], &txs[2], &other]));
    // A transaction that we never saw takes the place of ours.
    let foreign = pay(&[(2, 2)], 77, 300);
    let dropped = net.settle(2, &[foreign]);
    assert_eq!(dropped.iter().map(|(hash, _)| *hash).collect::<Vec<_>>(), [txs[1].hash()], "sequence 2 is used");
    assert_eq!(net.pool.status(&txs[1].hash()), TxStatus::Abandoned);
    assert_eq!(net.all(), hashes(&[&txs[2], &other]), "3 follows 2, whichever it was");
    assert_eq!(net.settle(3, &[txs[2].clone(), other]), []);
    assert!(net.pool.is_empty());
    assert_eq!(net.pool.bytes(), 0);
    assert_eq!(code(net.pool.insert(61_000, txs[2].clone())), 100_002, "a settled one is no news");
}

#[test]
fn several_payers() {
    let mut net = Net::new(Config::default());
    let (a1, ab, b2, c1) = (simple(2, 1), pay(&[(2, 2), (3, 1)], 1, 500), simple(3, 2), simple(4, 1));
    assert_eq!(code(net.pool.insert(0, ab.clone())), 100_002, "2 of the first account comes too early");
    for tx in [&a1, &ab, &b2, &c1] {
        assert_eq!(net.pool.insert(0, tx.clone()), Ok(()));
    }
    assert_eq!(net.all(), hashes(&[&a1, &ab, &b2, &c1]), "after the last of its accounts");
    let rival = pay(&[(3, 1)], 1, 10_000);
    assert_eq!(code(net.pool.insert(0, rival.clone())), 100_002, "no replacement among several accounts");
    // The second account spends elsewhere: what needed it falls, with all that follows.
    net.settle(1, std::slice::from_ref(&rival));
    assert_eq!(net.all(), hashes(&[&a1, &b2, &c1]));
    assert_eq!(net.pool.status(&ab.hash()), TxStatus::Abandoned);
    assert_eq!(net.pool.insert(2, simple(2, 2)), Ok(()), "the first account is free again");
}

#[test]
fn expiry() {
    let mut net = Net::new(Config { expiry_ms: 1_000, sweep_ms: 1, seen_ms: 100, ..Config::default() });
    let (early, late, other) = (simple(2, 1), simple(2, 2), simple(3, 1));
    assert_eq!(net.pool.insert(0, early.clone()), Ok(()));
    assert_eq!(net.pool.insert(500, late.clone()), Ok(()));
    assert_eq!(net.pool.insert(500, other.clone()), Ok(()));
    net.pool.expire(999);
    assert_eq!(net.pool.len(), 3);
    assert_eq!(net.pool.insert(999, early.clone()), Err(Refused::Seen), "pending, though the cache forgot it");
    net.pool.expire(1_000);
    assert_eq!(net.all(), hashes(&[&other]), "what follows an expired one goes too");
    assert_eq!(net.pool.status(&late.hash()), TxStatus::Abandoned);
    let [(expired, why), (follows, _)] = &net.dropped()[..] else { panic!("both are told") };
    assert_eq!((*expired, *follows), (early.hash(), late.hash()));
    assert_eq!(why, "dropped from the mempool: in no block for 1 s");
    assert_eq!(net.pool.insert(1_001, early.clone()), Ok(()), "it may come again");
    net.pool.expire(1_600);
    assert_eq!(net.all(), hashes(&[&early]), "the old deadline is not its own");
    net.dropped();
    assert_eq!(net.pool.insert(2_001, early), Ok(()), "it expires and comes again at once");
    assert_eq!(net.dropped(), [], "so whoever waits for it waits on");
}

#[test]
fn discarded_blocks_come_back() {
    let mut net = Net::new(Config::default());
    let (mine, theirs) = (simple(2, 1), simple(3, 1));
    assert_eq!(net.pool.insert(0, mine.clone()), Ok(()));
    net.pool.reinstate(1, [mine.clone(), theirs.clone(), simple(4, 2)]);
    assert_eq!(net.all(), hashes(&[&mine, &theirs]), "the good ones, once each");
    net.pool.recheck(2, &[mine.hash(), theirs.hash()]);
    assert_eq!(net.dropped(), [], "good on the settled state");
}
