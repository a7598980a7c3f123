//! People with keys, and a chain to try things on.

use crate::contracts::Contracts;
use crate::error::{ApplyError, StateError, TxError};
use crate::state::State;
use crate::tx::{Context, Runner, apply};
use crate::view::View;
use crate::{
    Ancestors, BlockOutcome, BuiltBlock, Env, NoAncestors, Parent, Proposal, ScalarProofs, Supply, build_block,
    check_supply, execute_block, genesis_state, queries,
};
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use vigil_crypto::{SecretKey, TxDomain, VerifiedTx, sign_tx, verify_tx};
use vigil_primitives::{
    Account, Address, BlockHeader, Bytes, ChainParams, Coins, DepositStake, EMPTY_TRIE_ROOT, FinalityCert, Genesis,
    GenesisAccount, GenesisStake, Hash, Height, Send, SignDomain, StakeRewardDistribution, Tx, TxInput, TxOutput, U256,
    WithdrawStake,
};
use vigil_trie::{NodeReader, ScalarHasher, TrieError};

/// Enough for every type but a large send: 0.3 of the operational token.
pub(super) const FEE: u64 = 300_000_000_000_000_000;

/// Nodes in memory.
#[derive(Default)]
pub(super) struct Nodes(Mutex<HashMap<Hash, Bytes>>);

impl Nodes {
    pub(super) fn add(&self, nodes: &[(Hash, Bytes)]) {
        self.0.lock().expect("no panic").extend(nodes.iter().cloned());
    }
}

impl NodeReader for Nodes {
    fn node(&self, hash: &Hash) -> Result<Option<Bytes>, TrieError> {
        Ok(self.0.lock().expect("no panic").get(hash).cloned())
    }
}

/// The key number `n`, from 1.
pub(super) fn key(n: u16) -> SecretKey {
    let mut bytes = [7u8; 32];
    bytes[30..].copy_from_slice(&n.to_be_bytes());
    SecretKey::from_bytes(&bytes).expect("a key")
}

pub(crate) fn address(n: u16) -> Address {
    key(n).address()
}

/// An address nobody has used.
pub(crate) fn stranger(n: u64) -> Address {
    let mut bytes = [0xee; 20];
    bytes[12..].copy_from_slice(&n.to_be_bytes());
    Address::from(bytes)
}

pub(super) fn fee() -> Coins {
    Coins::tfuel(U256::from(FEE))
}

pub(super) fn input(n: u16, coins: Coins, sequence: u64) -> TxInput {
    TxInput { address: address(n), coins, sequence, ..TxInput::default() }
}

pub(super) fn output(address: Address, coins: Coins) -> TxOutput {
    TxOutput { address, coins }
}

/// Signs slot i with `signers[i]` and verifies.
pub(super) fn signed(params: &ChainParams, mut tx: Tx, signers: &[u16]) -> Arc<VerifiedTx> {
    for (slot, signer) in signers.iter().enumerate() {
        sign_tx(&params.chain_id, &mut tx, slot, &key(*signer)).expect("a slot");
    }
    let domain = TxDomain { chain_id: params.chain_id.clone(), forks: params.forks.clone() };
    Arc::new(verify_tx(&domain, tx.to_raw().into()).expect("decodes"))
}

/// One payer, one payee, fee on top.
pub(super) fn send(params: &ChainParams, from: u16, sequence: u64, to: Address, coins: Coins) -> Arc<VerifiedTx> {
    let paid = coins.checked_add(&fee()).unwrap_or(coins);
    let tx = Send { fee: fee(), inputs: vec![input(from, paid, sequence)], outputs: vec![output(to, coins)] };
    signed(params, Tx::Send(tx), &[from])
}

pub(super) fn deposit(params: &ChainParams, from: u16, sequence: u64, holder: Address, theta: U256) -> Arc<VerifiedTx> {
    let source = input(from, Coins::theta(theta), sequence);
    let tx = DepositStake { fee: fee(), source, holder: output(holder, Coins::ZERO), purpose: 0 };
    signed(params, Tx::DepositStake(tx), &[from])
}

pub(super) fn withdraw(params: &ChainParams, from: u16, sequence: u64, holder: Address) -> Arc<VerifiedTx> {
    let source = input(from, Coins::ZERO, sequence);
    let tx = WithdrawStake { fee: fee(), source, holder: output(holder, Coins::ZERO), purpose: 0 };
    signed(params, Tx::WithdrawStake(tx), &[from])
}

pub(crate) fn distribute(
    params: &ChainParams,
    from: u16,
    sequence: u64,
    beneficiary: Address,
    points: u64,
) -> Arc<VerifiedTx> {
    let holder = input(from, Coins::ZERO, sequence);
    let beneficiary = output(beneficiary, Coins::ZERO);
    let tx = StakeRewardDistribution { fee: fee(), holder, beneficiary, split_basis_point: points };
    signed(params, Tx::StakeRewardDistribution(tx), &[from])
}

/// Sends and two coins each to people 1 to `people`; person 1 stakes with itself and is the first validator.
pub(super) fn genesis(params: ChainParams, people: u16) -> Genesis {
    let coins = Coins::tokens(10_000_000, 50_000_000);
    let account = |n| GenesisAccount { address: address(n), theta: coins.theta, tfuel: coins.tfuel };
    let stake = GenesisStake { source: address(1), holder: address(1), amount: Coins::tokens(1_000_000, 0).theta };
    let accounts = (1..=people).map(account).collect();
    Genesis { params, timestamp: 1_700_000_000, accounts, stakes: vec![stake], guardians: Vec::new() }
}

/// Small intervals, so that everything happens soon.
pub(crate) fn params() -> ChainParams {
    ChainParams { checkpoint_interval: 5, return_locking_period: 4, ..ChainParams::default() }
}

/// Hashes of the blocks of a branch, by height.
#[derive(Default)]
pub(super) struct History(pub(super) Vec<Hash>);

impl Ancestors for History {
    fn hash_at(&self, parent: &Hash, height: Height) -> Result<Option<Hash>, StateError> {
        assert!(self.0.last() == Some(parent) && height < self.0.len() as u64, "{height} of {}", self.0.len());
        Ok(self.0.get(height as usize).copied())
    }
}

/// A chain of one branch.
pub(crate) struct Chain {
    pub(crate) params: ChainParams,
    pub(super) nodes: Arc<Nodes>,
    pub(super) head: Parent,
    pub(super) head_hash: Hash,
    pub(super) history: History,
    pub(super) proofs: ScalarProofs,
    pub(super) validators: Vec<(Address, U256)>,
}

impl Chain {
    pub(crate) fn new(params: ChainParams, people: u16) -> Self {
        Self::of(&genesis(params, people))
    }

    pub(super) fn of(genesis: &Genesis) -> Self {
        let params = genesis.params.clone();
        let made = genesis_state(genesis, &ScalarHasher).expect("a genesis");
        let nodes = Arc::new(Nodes::default());
        nodes.add(&made.nodes);
        let state = State::open(made.header.state_root, nodes.clone());
        let head = Parent { height: 0, timestamp: genesis.timestamp, state, supply: Supply::default() };
        let head_hash = made.header.hash();
        let proofs =
            ScalarProofs::new(SignDomain { chain_id: params.chain_id.clone(), genesis_hash: head_hash }, &params);
        let history = History(vec![head_hash]);
        Self { params, nodes, head, head_hash, history, proofs, validators: made.validators }
    }

    pub(super) fn env(&self) -> Env<'_> {
        Env { params: &self.params, hasher: &ScalarHasher, proofs: &self.proofs, ancestors: &self.history }
    }

    pub(super) fn header(&self) -> BlockHeader {
        BlockHeader {
            chain_id: self.params.chain_id.clone(),
            epoch: self.head.height + 1,
            height: self.head.height + 1,
            parent: self.head_hash,
            receipt_root: EMPTY_TRIE_ROOT,
            timestamp: self.head.timestamp + 1,
            proposer: address(1),
            ..BlockHeader::default()
        }
    }

    pub(super) fn build(&self, candidates: &[Arc<VerifiedTx>]) -> BuiltBlock {
        self.build_with(None, candidates)
    }

    /// A block that is offered a certificate.
    pub(super) fn build_with(&self, cert: Option<FinalityCert>, candidates: &[Arc<VerifiedTx>]) -> BuiltBlock {
        let sign = |digest: &Hash| key(1).sign(digest);
        let header = BlockHeader { finality: cert.map(Box::new), ..self.header() };
        let proposal = Proposal { header, allow_set_change: true, candidates, sign: &sign };
        build_block(&self.env(), &self.head, proposal).expect("builds")
    }

    /// Builds a block, executes it as a receiver with nothing in memory, checks the supply, moves on.
    pub(super) fn step(&mut self, candidates: &[Arc<VerifiedTx>]) -> BuiltBlock {
        self.step_with(None, candidates)
    }

    /// [`Self::step`] with the offer of a certificate.
    pub(super) fn step_with(&mut self, cert: Option<FinalityCert>, candidates: &[Arc<VerifiedTx>]) -> BuiltBlock {
        let built = self.build_with(cert, candidates);
        let cold = Parent { state: State::open(self.head.state.root(), self.nodes.clone()), ..self.head.clone() };
        let header = &built.block.header;
        let outcome = execute_block(&self.env(), &cold, header, &built.txs).expect("executes");
        assert_same(&outcome, &built.outcome);
        check_supply(&outcome.state, &outcome.supply).expect("every coin is accounted for");
        self.nodes.add(&outcome.nodes);
        self.head = built.outcome.as_parent(header);
        self.head_hash = header.hash();
        self.history.0.push(self.head_hash);
        self.validators = outcome.validators;
        built
    }

    /// [`Self::step`] where every candidate must be taken.
    pub(crate) fn step_all(&mut self, candidates: &[Arc<VerifiedTx>]) -> BuiltBlock {
        let built = self.step(candidates);
        assert_eq!(built.dropped, []);
        built
    }

    /// Blocks without transactions until `height`.
    pub(super) fn run_to(&mut self, height: u64) {
        while self.head.height < height {
            self.step(&[]);
        }
    }

    pub(super) fn account(&self, address: &Address) -> Account {
        queries::account(&self.head.state, self.head.height, address).expect("reads").expect("an account")
    }

    /// Applies one transaction to a copy of the head.
    pub(super) fn try_tx(&self, tx: &VerifiedTx) -> Result<(), TxError> {
        let mut view = self.view();
        try_on(&mut view, self, tx)
    }

    /// Changes the head's state; the coins must stay the same.
    pub(super) fn edit(&mut self, change: impl FnOnce(&mut View)) {
        let mut view = self.view();
        change(&mut view);
        view.keep().expect("no overflow");
        let (state, commit) = view.commit(&ScalarHasher).expect("commits");
        self.nodes.add(&commit.nodes);
        self.head.state = state;
    }

    pub(crate) fn view(&self) -> View {
        View::new(self.head.state.clone(), self.head.height)
    }
}

/// Applies one transaction; the store must not fail.
pub(super) fn try_on(view: &mut View, chain: &Chain, tx: &VerifiedTx) -> Result<(), TxError> {
    let height = view.height();
    let header = BlockHeader { height, timestamp: chain.head.timestamp, ..BlockHeader::default() };
    let contracts = Contracts::new(&chain.params, &header, &NoAncestors);
    match apply(view, Runner::Block(&contracts), &Context::new(&chain.params, &chain.proofs, tx, height)) {
        Ok(()) => Ok(()),
        Err(ApplyError::Refused(error)) => Err(error),
        Err(ApplyError::State(error)) => panic!("{error}"),
    }
}

fn assert_same(a: &BlockOutcome, b: &BlockOutcome) {
    assert_eq!(a.state_root, b.state_root);
    assert_eq!(a.supply, b.supply);
    assert_eq!((&a.validators, a.validators_changed), (&b.validators, b.validators_changed));
    assert_eq!(a.touched, b.touched);
    assert_eq!(a.receipts, b.receipts);
}
