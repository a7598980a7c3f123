//! Our side: a chain of one branch, in memory.

use super::EvmError;
use super::workload::People;
use std::collections::HashMap;
use std::sync::{Arc, RwLock};
use std::time::{Duration, Instant};
use vigil_accel::Engine;
use vigil_crypto::{SecretKey, VerifiedTx};
use vigil_ledger::{
    Env, NoAncestors, Parent, Proposal, ScalarProofs, State, build_block, execute_block, genesis_state,
};
use vigil_node::accel::Hasher;
use vigil_primitives::{
    Address, BlockHeader, Bytes, ChainParams, Coins, Genesis, GenesisAccount, GenesisStake, Hash, Receipt, SignDomain,
    U256,
};
use vigil_trie::{NodeReader, TrieError};

/// Nodes that were committed.
#[derive(Default)]
struct Nodes(RwLock<HashMap<Hash, Bytes>>);

impl NodeReader for Nodes {
    fn node(&self, hash: &Hash) -> Result<Option<Bytes>, TrieError> {
        Ok(self.0.read().expect("no panic").get(hash).cloned())
    }
}

/// The rules: those of a new chain; no rewards, which are no gas.
pub(super) fn params() -> ChainParams {
    ChainParams { checkpoint_interval: 1_000_000, ..ChainParams::default() }
}

pub(super) struct Chain {
    params: ChainParams,
    proofs: ScalarProofs,
    hasher: Hasher,
    nodes: Arc<Nodes>,
    head: Parent,
    head_hash: Hash,
    key: SecretKey,
}

impl Chain {
    pub(super) fn new(people: &People) -> Result<Self, EvmError> {
        let params = params();
        let key = people.key(0);
        let coins = Coins::new(Coins::tokens(1, 0).theta, Self::balance(1));
        let account = |address: &Address| GenesisAccount { address: *address, theta: coins.theta, tfuel: coins.tfuel };
        let mut accounts: Vec<GenesisAccount> = people.addresses.iter().map(account).collect();
        let stake = Coins::tokens(1_000_000, 0).theta;
        accounts[0].theta = stake;
        accounts[0].tfuel = Self::balance(0);
        let stakes = vec![GenesisStake { source: key.address(), holder: key.address(), amount: stake }];
        let genesis =
            Genesis { params: params.clone(), timestamp: 1_700_000_000, accounts, stakes, guardians: Vec::new() };
        let engine =
            Engine::start(vigil_accel::EngineConfig::default()).map_err(|e| EvmError::Engine(e.to_string()))?;
        let hasher = Hasher(engine);
        let made = genesis_state(&genesis, &hasher).map_err(|error| EvmError::Chain(error.to_string()))?;
        let nodes = Arc::new(Nodes::default());
        nodes.0.write().expect("no panic").extend(made.nodes);
        let state = State::open(made.header.state_root, nodes.clone());
        let head = Parent { height: 0, timestamp: genesis.timestamp, state, supply: made.supply };
        let head_hash = made.header.hash();
        let domain = SignDomain { chain_id: params.chain_id.clone(), genesis_hash: head_hash };
        let proofs = ScalarProofs::new(domain, &params);
        Ok(Self { params, proofs, hasher, nodes, head, head_hash, key })
    }

    /// What an account has of the operational token at genesis, in wei; the first one prepares everything.
    pub(super) fn balance(n: usize) -> U256 {
        Coins::tokens(0, if n == 0 { 1_000_000_000 } else { 10_000 }).tfuel
    }

    fn env(&self) -> Env<'_> {
        Env { params: &self.params, hasher: &self.hasher, proofs: &self.proofs, ancestors: &NoAncestors }
    }

    /// A block of the first of these transactions that it has gas for.
    pub(super) fn build(&self, txs: &[Arc<VerifiedTx>]) -> Result<(BlockHeader, Vec<Arc<VerifiedTx>>), EvmError> {
        let header = BlockHeader {
            chain_id: self.params.chain_id.clone(),
            epoch: self.head.height + 1,
            height: self.head.height + 1,
            parent: self.head_hash,
            timestamp: self.head.timestamp + 1,
            proposer: self.key.address(),
            ..BlockHeader::default()
        };
        let sign = |digest: &Hash| self.key.sign(digest);
        let proposal = Proposal { header, allow_set_change: true, candidates: txs, sign: &sign };
        let built = build_block(&self.env(), &self.head, proposal);
        let built = built.map_err(|error| EvmError::Chain(error.to_string()))?;
        match built.dropped.first() {
            Some((hash, error)) => Err(EvmError::Chain(format!("{hash} is refused: {error}"))),
            None => Ok((built.block.header, built.txs)),
        }
    }

    /// Executes a block and goes on to it. The time is that of [`execute_block`].
    pub(super) fn execute(
        &mut self,
        header: &BlockHeader,
        txs: &[Arc<VerifiedTx>],
    ) -> Result<(Vec<Receipt>, Duration), EvmError> {
        let start = Instant::now();
        let outcome = execute_block(&self.env(), &self.head, header, txs);
        let time = start.elapsed();
        let outcome = outcome.map_err(|error| EvmError::Chain(error.to_string()))?;
        self.nodes.0.write().expect("no panic").extend(outcome.nodes.iter().cloned());
        self.head = outcome.as_parent(header);
        self.head_hash = header.hash();
        Ok((outcome.receipts, time))
    }
}
