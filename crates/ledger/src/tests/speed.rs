//! How long a block takes. Printed, never asserted (`--nocapture`).

use super::actors::{Chain, Nodes, address, fee, input, output, params, send, signed, stranger};
use crate::{Parent, Screen, State, execute_block, keys};
use std::sync::Arc;
use std::time::Instant;
use vigil_primitives::{
    ACTIVE_RETURN_HEIGHT, Account, ChainParams, Coins, DepositStake, Guardian, GuardianPool, Stake, StakeHolder, Tx,
    keccak256, rlp,
};
use vigil_trie::{NoNodes, ScalarHasher, Trie};

/// 1,000 sends on a state of 100,000 accounts.
#[test]
fn thousand_sends() {
    let mut chain = Chain::new(ChainParams { validator_deposit_min: 400_000, ..params() }, 200);
    let mut trie = Trie::empty();
    let (root_trie, reader) = chain.head.state.trie();
    for entry in root_trie.iter(&**reader, &[], &[]) {
        let (key, value) = entry.expect("reads");
        trie.insert(&NoNodes, &key, value).expect("in memory");
    }
    for n in 0..100_000 {
        let mut holder = stranger(n);
        holder.0[..8].copy_from_slice(&keccak256(n.to_be_bytes())[..8]);
        let account = Account { balance: Coins::tokens(1, 1), ..Account::new(holder, 0) };
        trie.insert(&NoNodes, &keys::account(&holder), rlp::encode(&account)).expect("in memory");
    }
    let commit = trie.commit(&ScalarHasher);
    let nodes = Arc::new(Nodes::default());
    nodes.add(&commit.nodes);
    chain.head = Parent { state: State::open(commit.root, nodes.clone()), ..chain.head };
    chain.nodes = nodes;

    for round in 0..3u64 {
        let txs: Vec<_> = (0..1_000u64)
            .map(|n| {
                let to = stranger(1_000_000 + n * 3 + round);
                send(&chain.params, 1 + (n % 200) as u16, round * 5 + n / 200 + 1, to, Coins::tokens(0, 1))
            })
            .collect();
        let start = Instant::now();
        let built = chain.build(&txs);
        let build = start.elapsed();
        assert_eq!(built.txs.len(), 1_000);
        let start = Instant::now();
        let header = &built.block.header;
        let outcome = execute_block(&chain.env(), &chain.head, header, &built.txs).expect("executes");
        let execute = start.elapsed();
        eprintln!("round {round}: build {build:?}, execute {execute:?}, {} nodes", outcome.nodes.len());
        chain.nodes.add(&outcome.nodes);
        chain.head = outcome.as_parent(header);
    }
    assert_eq!(chain.account(&address(1)).sequence, 15);
}

/// 1,000 deposits on 10,000 guardians, at the head and at the mempool's screen.
#[test]
fn thousand_guardian_deposits() {
    let mut chain = Chain::new(params(), 20);
    let theta = Coins::tokens(1_000, 0).theta;
    let guardian = |n| {
        let stake = Stake { source: stranger(n), amount: theta, withdrawn: false, return_height: ACTIVE_RETURN_HEIGHT };
        let key = [keccak256(n.to_be_bytes()).as_slice(), &[0; 16]].concat();
        Guardian { holder: StakeHolder { holder: stranger(n), stakes: vec![stake] }, bls_pubkey: key.into() }
    };
    let pool = GuardianPool { sorted_guardians: (0..10_000).map(guardian).collect() };
    let mut trie = chain.head.state.trie.clone();
    trie.insert(&*chain.nodes, keys::GUARDIANS, rlp::encode(&pool)).expect("writes");
    let commit = trie.commit(&ScalarHasher);
    chain.nodes.add(&commit.nodes);
    chain.head = Parent { state: State::open(commit.root, chain.nodes.clone()), ..chain.head };
    let deposit = |n: u64| {
        let from = 1 + (n % 20) as u16;
        let (source, holder) = (input(from, Coins::theta(theta), n / 20 + 1), output(stranger(n * 7), Coins::ZERO));
        signed(&chain.params, Tx::DepositStake(DepositStake { fee: fee(), source, holder, purpose: 1 }), &[from])
    };
    let txs: Vec<_> = (0..1_000).map(deposit).collect();
    let mut screen =
        Screen::new(Arc::new(chain.params.clone()), Arc::new(chain.proofs.clone()), chain.head.state.clone(), 0);
    let start = Instant::now();
    txs.iter().for_each(|tx| screen.check_and_apply(tx).expect("good"));
    let screened = start.elapsed();
    let start = Instant::now();
    let built = chain.build(&txs);
    eprintln!("guardians: screen {screened:?}, build {:?}", start.elapsed());
    assert_eq!((built.txs.len(), built.dropped.len()), (1_000, 0));
}
