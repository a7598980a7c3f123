//! From a store to a chain: genesis at first, else what was there.

use super::receipts::{decode_receipts, eth_hashes};
use super::records::{self, ExecutedRecord, HeightRecord};
use super::{Chain, ChainError, ExecutedBlock, NodeCache, NodeProofs, Tip, decode, put_nodes};
use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, RwLock};
use std::time::Instant;
use vigil_consensus::{Executed, Recovered, RestartPoint, ValidatorSet};
use vigil_crypto::{TxDomain, tx_of_block};
use vigil_ledger::{GenesisState, Parent, Reader, State, debited, genesis_state};
use vigil_primitives::{
    Address, Block, Bytes, EMPTY_TRIE_ROOT, Genesis, Hash, Hcc, SignDomain, Tx, U256, keccak256, rlp,
};
use vigil_store::{Batch, Column, Store};
use vigil_trie::ScalarHasher;

/// Pending blocks and certificates read at start; consensus bounds what is stored far below.
const RECOVERED_MAX: usize = 10_000;

/// The memory of nodes for the reads of clients is such a part of the memory for execution, beside it.
const READS_PART: usize = 4;

/// A genesis file with what follows from it.
#[derive(Debug)]
pub struct GenesisBlock {
    state: GenesisState,
    hash: Hash,
}

impl GenesisBlock {
    /// Computes the genesis block.
    ///
    /// # Errors
    /// The file breaks a rule.
    pub fn of(genesis: &Genesis) -> Result<Self, ChainError> {
        let state = genesis_state(genesis, &ScalarHasher)?;
        Ok(Self { hash: state.header.hash(), state })
    }

    /// Its hash: the name of the chain.
    pub fn hash(&self) -> Hash {
        self.hash
    }
}

impl Chain {
    /// Opens the chain of `genesis` in `store`, which belongs to it alone, and says what consensus starts with (without
    /// the journal).
    ///
    /// # Errors
    /// [`ChainError`].
    pub fn open(
        store: Arc<dyn Store>,
        genesis: &Genesis,
        block: &GenesisBlock,
        cache_mib: usize,
    ) -> Result<(Self, Recovered), ChainError> {
        if store.get(Column::Meta, records::RESTART)?.is_none() {
            write_genesis(store.as_ref(), block)?;
        }
        let nodes: Reader = Arc::new(NodeCache::new(Arc::clone(&store), cache_mib));
        let reads: Reader = Arc::new(NodeCache::new(Arc::clone(&store), cache_mib / READS_PART));
        let restart = store.get(Column::Meta, records::RESTART)?.unwrap_or_default();
        let restart = RestartPoint::from_bytes(&restart)
            .map_err(|e| ChainError::Corrupt { what: "restart point".into(), reason: e.to_string() })?;
        let params = &genesis.params;
        let (number, _) = TxDomain { chain_id: params.chain_id.clone(), forks: params.forks.clone() }.eth_number();
        let head = load(store.as_ref(), &nodes, number, &restart.head().hash)?;
        let mut pending = pending_blocks(store.as_ref(), &nodes, number)?;
        pending.retain(|b| b.as_parent.height > head.as_parent.height);
        pending.sort_by_key(|b| b.as_parent.height);
        let recovered = Recovered {
            journal: Default::default(),
            restart,
            pending: pending.iter().map(|b| (Arc::clone(&b.block), b.executed.clone())).collect(),
            certs: certs(store.as_ref())?,
        };
        let pending: HashMap<_, _> = pending.into_iter().map(|b| (b.hash, b)).collect();
        let finalized = store.get(Column::Meta, records::FINAL)?;
        let finalized = finalized.map(|bytes| decode("finality certificate", &bytes).map(Arc::new)).transpose()?;
        let tip = RwLock::new(Tip { head, pending });
        let domain = SignDomain { chain_id: genesis.params.chain_id.clone(), genesis_hash: block.hash };
        let chain = Self {
            store,
            reads: State::open(EMPTY_TRIE_ROOT, reads),
            params: Arc::new(genesis.params.clone()),
            genesis: block.hash,
            proofs: Arc::new(NodeProofs::new(domain, &genesis.params)),
            tip,
            signed: Mutex::default(),
            finalized: Mutex::new(finalized),
        };
        Ok((chain, recovered))
    }
}

fn write_genesis(store: &dyn Store, genesis: &GenesisBlock) -> Result<(), ChainError> {
    let GenesisBlock { state, hash } = genesis;
    let set = ValidatorSet::from_stakes(state.validators.iter().copied())
        .map_err(|e| ChainError::Corrupt { what: "genesis validators".into(), reason: e.to_string() })?;
    let block = Block { header: state.header.clone(), txs: Vec::new() };
    let record = ExecutedRecord { executed: Executed::default(), supply: state.supply };
    let mut batch = Batch::new();
    put_nodes(&mut batch, &state.nodes);
    batch.put(Column::Blocks, hash, rlp::encode(&block));
    batch.put(Column::Executed, hash, rlp::encode(&record));
    batch.put(Column::Heights, records::height_key(0), rlp::encode(&HeightRecord { hash: *hash, direct: true }));
    batch.put(Column::Meta, records::RESTART, RestartPoint::genesis(&state.header, set).to_bytes());
    Ok(store.write(batch, true)?)
}

fn load(store: &dyn Store, nodes: &Reader, number: U256, hash: &Hash) -> Result<Arc<ExecutedBlock>, ChainError> {
    let missing = |what: &str| ChainError::Corrupt { what: format!("{what} {hash}"), reason: "missing".into() };
    let bytes = |column, what| store.get(column, hash.as_slice())?.ok_or_else(|| missing(what));
    let block: Block = decode("block", &bytes(Column::Blocks, "block")?)?;
    let record: ExecutedRecord = decode("execution record", &bytes(Column::Executed, "execution record of block")?)?;
    let as_parent = Parent {
        height: block.header.height,
        timestamp: block.header.timestamp,
        state: State::open(block.header.state_root, Arc::clone(nodes)),
        supply: record.supply,
    };
    let tx_hashes = block.txs.iter().map(keccak256).collect();
    let txs: Vec<Tx> = block.txs.iter().filter_map(|raw| tx_of_block(raw).ok()).collect();
    let touched: BTreeSet<Address> = txs.iter().flat_map(debited).collect();
    let receipts = store.get(Column::Receipts, hash.as_slice())?;
    Ok(Arc::new(ExecutedBlock {
        hash: *hash,
        block: Arc::new(block),
        tx_hashes,
        as_parent,
        receipts: receipts.map_or_else(|| Ok(Arc::default()), |bytes| decode_receipts(&bytes))?,
        eth_hashes: eth_hashes(txs.iter(), number),
        touched: touched.into_iter().collect(),
        executed: record.executed,
        executed_at: Instant::now(),
    }))
}

fn pending_blocks(store: &dyn Store, nodes: &Reader, number: U256) -> Result<Vec<Arc<ExecutedBlock>>, ChainError> {
    let entries = store.scan(Column::Meta, records::PENDING, &[], RECOVERED_MAX)?;
    let hash = |key: &Bytes| Hash::try_from(&key[records::PENDING.len()..]).ok();
    entries.iter().filter_map(|(key, _)| hash(key)).map(|hash| load(store, nodes, number, &hash)).collect()
}

fn certs(store: &dyn Store) -> Result<Vec<Hcc>, ChainError> {
    let entries = store.scan(Column::Certs, &[], &[], RECOVERED_MAX)?;
    entries.iter().map(|(_, value)| decode("certificate", value)).collect()
}
