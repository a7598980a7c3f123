//! The chain as this node has it: settled blocks in the store, executed ones above them in memory and in the store.

mod ancestors;
mod finality;
mod nodes;
mod open;
mod proofs;
mod receipts;
pub(crate) mod records;
mod settle;

pub use nodes::NodeCache;
pub use open::GenesisBlock;
pub use proofs::NodeProofs;
pub use receipts::About;
pub use records::SignedRecord;

use records::{ExecutedRecord, HeightRecord, TxRecord};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::Instant;
use vigil_consensus::{Executed, SettledBlock};
use vigil_crypto::{TxDomain, VerifiedTx};
use vigil_ledger::{BlockOutcome, Parent, State};
use vigil_primitives::{
    Address, Block, BlockHeader, Bytes, ChainParams, FinalityCert, Hash, Hcc, Height, Receipt, RlpError, SignDomain,
    rlp,
};
use vigil_store::{Batch, Column, Store, StoreError};

/// What goes wrong with the chain's data.
#[derive(Debug, thiserror::Error)]
pub enum ChainError {
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A stored value that does not decode.
    #[error("stored {what} is damaged: {reason}; move the db directory away and sync again (keep the journal)")]
    Corrupt {
        /// Which value.
        what: String,
        /// Why it is none.
        reason: String,
    },
    /// Genesis.
    #[error(transparent)]
    Genesis(#[from] vigil_ledger::GenesisStateError),
    /// The state.
    #[error(transparent)]
    State(#[from] vigil_ledger::StateError),
    /// Consensus settles what was never executed: our bug.
    #[error("block {0} was settled without having been executed")]
    NotExecuted(Hash),
}

impl ChainError {
    /// True if there is no room on the disk.
    pub fn is_disk_full(&self) -> bool {
        matches!(self, Self::Store(StoreError::DiskFull { .. }))
    }
}

/// A block with its state.
#[derive(Clone, Debug)]
pub struct ExecutedBlock {
    /// Its hash.
    pub hash: Hash,
    /// The block.
    pub block: Arc<Block>,
    /// Hashes of its transactions, in order.
    pub tx_hashes: Vec<Hash>,
    /// Height, time, state and supply, as what a child stands on.
    pub as_parent: Parent,
    /// Receipts of its contract transactions, in order.
    pub receipts: Arc<[Receipt]>,
    /// Hashes by which Ethereum clients know transactions of it, with their places in the block.
    pub eth_hashes: Vec<(u64, Hash)>,
    /// Accounts that it wrote, ascending. After a restart only those that its transactions take from.
    pub touched: Vec<Address>,
    /// For consensus.
    pub executed: Executed,
    /// When it became known here.
    pub executed_at: Instant,
}

/// The newest part of the chain.
#[derive(Debug)]
pub struct Tip {
    /// Last settled block.
    pub head: Arc<ExecutedBlock>,
    /// Executed blocks that are not settled, by hash.
    pub pending: HashMap<Hash, Arc<ExecutedBlock>>,
}

impl Tip {
    /// An executed block: the head or a pending one.
    pub fn executed(&self, hash: &Hash) -> Option<&Arc<ExecutedBlock>> {
        if self.head.hash == *hash { Some(&self.head) } else { self.pending.get(hash) }
    }

    /// Blocks from `hash` down to the one above the settled head.
    pub fn branch(&self, hash: &Hash) -> Vec<&Arc<ExecutedBlock>> {
        let mut branch = Vec::new();
        let mut at = *hash;
        while let Some(block) = self.pending.get(&at) {
            at = block.block.header.parent;
            branch.push(block);
        }
        branch
    }
}

/// The chain of this node. Shared by all its parts.
pub struct Chain {
    store: Arc<dyn Store>,
    /// A state without nodes in memory, for the reads of clients: they share code that was analysed, and a memory of nodes
    /// that execution does not wait for.
    reads: State,
    params: Arc<ChainParams>,
    genesis: Hash,
    proofs: Arc<NodeProofs>,
    tip: RwLock<Tip>,
    /// Whose journal is durable how far.
    signed: Mutex<Option<(Address, SignedRecord)>>,
    /// The highest certificate of guardians.
    finalized: Mutex<Option<Arc<FinalityCert>>>,
}

impl Chain {
    /// The rules.
    pub fn params(&self) -> &Arc<ChainParams> {
        &self.params
    }

    /// Hash of the genesis block.
    pub fn genesis(&self) -> Hash {
        self.genesis
    }

    /// What transaction signatures depend on.
    pub fn tx_domain(&self) -> TxDomain {
        TxDomain { chain_id: self.params.chain_id.clone(), forks: self.params.forks.clone() }
    }

    /// What consensus signatures cover.
    pub fn sign_domain(&self) -> SignDomain {
        SignDomain { chain_id: self.params.chain_id.clone(), genesis_hash: self.genesis }
    }

    /// Judges certificates in headers and evidence.
    pub fn proofs(&self) -> &Arc<NodeProofs> {
        &self.proofs
    }

    /// The newest part, for a short look.
    pub fn tip(&self) -> RwLockReadGuard<'_, Tip> {
        self.tip.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn tip_mut(&self) -> RwLockWriteGuard<'_, Tip> {
        self.tip.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// Last settled block.
    pub fn head(&self) -> Arc<ExecutedBlock> {
        Arc::clone(&self.tip().head)
    }

    /// The store below.
    pub fn store(&self) -> &Arc<dyn Store> {
        &self.store
    }

    /// The state after a block whose state is stored.
    pub fn state_of(&self, header: &BlockHeader) -> State {
        self.reads.sibling(header.state_root)
    }

    /// How far `key` has signed from this database, by what was written with the settled head. `None`: never.
    ///
    /// # Errors
    /// The store's, or a damaged value.
    pub fn has_signed(&self, key: &Address) -> Result<Option<SignedRecord>, ChainError> {
        let value = self.store.get(Column::Meta, &records::signed_key(key))?;
        value
            .map(|bytes| if bytes.is_empty() { Ok(SignedRecord::default()) } else { decode("signed", &bytes) })
            .transpose()
    }

    /// Writes down how far `key` has signed, whatever was written before.
    ///
    /// # Errors
    /// The store's.
    pub fn begin_signing(&self, key: Address, signed: SignedRecord) -> Result<(), ChainError> {
        let mut batch = Batch::new();
        batch.put(Column::Meta, records::signed_key(&key), rlp::encode(&signed));
        self.store.write(batch, true)?;
        self.note_signed(key, signed);
        Ok(())
    }

    /// The journal of `key` is durable up to there: the next settlement will say so.
    pub fn note_signed(&self, key: Address, signed: SignedRecord) {
        *self.signed.lock().unwrap_or_else(PoisonError::into_inner) = Some((key, signed));
    }

    fn signed(&self) -> Option<(Address, SignedRecord)> {
        *self.signed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Stores new state nodes; they survive the process, and the machine once anything later is written durably.
    ///
    /// # Errors
    /// The store's.
    pub fn store_nodes(&self, nodes: &[(Hash, Bytes)]) -> Result<(), ChainError> {
        let mut batch = Batch::new();
        put_nodes(&mut batch, nodes);
        Ok(self.store.write(batch, false)?)
    }

    /// Stores an executed block with its state, durably, and makes it known. A vote for it may follow.
    ///
    /// # Errors
    /// The store's; then nothing has changed.
    pub fn add_executed(
        &self,
        hash: Hash,
        block: Arc<Block>,
        txs: &[Arc<VerifiedTx>],
        outcome: BlockOutcome,
    ) -> Result<Executed, ChainError> {
        let executed = consensus_outcome(&outcome)?;
        let record = ExecutedRecord { executed: executed.clone(), supply: outcome.supply };
        let mut batch = Batch::new();
        put_nodes(&mut batch, &outcome.nodes);
        batch.put(Column::Blocks, hash, rlp::encode(block.as_ref()));
        batch.put(Column::Executed, hash, rlp::encode(&record));
        receipts::put_receipts(&mut batch, &hash, &outcome.receipts);
        batch.put(Column::Meta, records::pending_key(&hash), Vec::new());
        metrics::counter!("vigil_store_bytes_total").increment(batch.bytes() as u64);
        self.store.write(batch, true)?;
        let as_parent = outcome.as_parent(&block.header);
        let tx_hashes = txs.iter().map(|tx| tx.hash()).collect();
        let known = ExecutedBlock {
            hash,
            block,
            tx_hashes,
            as_parent,
            receipts: outcome.receipts.into(),
            eth_hashes: receipts::eth_hashes_of(txs, self.tx_domain().eth_number().0),
            touched: outcome.touched,
            executed: executed.clone(),
            executed_at: Instant::now(),
        };
        self.tip_mut().pending.insert(hash, Arc::new(known));
        Ok(executed)
    }

    /// Keeps a certificate until a later block is settled.
    ///
    /// # Errors
    /// The store's.
    pub fn store_cert(&self, cert: &Hcc) -> Result<(), ChainError> {
        let mut batch = Batch::new();
        batch.put(Column::Certs, cert.block_hash, rlp::encode(cert));
        Ok(self.store.write(batch, false)?)
    }

    /// A stored certificate.
    ///
    /// # Errors
    /// The store's, or a damaged value.
    pub fn cert(&self, hash: &Hash) -> Result<Option<Hcc>, ChainError> {
        self.decoded(Column::Certs, hash.as_slice(), "certificate")
    }

    /// A block that was executed once, whatever became of it.
    ///
    /// # Errors
    /// The store's, or a damaged value.
    pub fn block(&self, hash: &Hash) -> Result<Option<Arc<Block>>, ChainError> {
        if let Some(known) = self.tip().executed(hash) {
            return Ok(Some(Arc::clone(&known.block)));
        }
        Ok(self.decoded::<Block>(Column::Blocks, hash.as_slice(), "block")?.map(Arc::new))
    }

    /// Bytes of a block that was executed once.
    ///
    /// # Errors
    /// The store's.
    pub fn block_bytes(&self, hash: &Hash) -> Result<Option<Bytes>, ChainError> {
        Ok(self.store.get(Column::Blocks, hash.as_slice())?)
    }

    /// Hash of the settled block at a height, and whether it was settled directly.
    ///
    /// # Errors
    /// The store's, or a damaged value.
    pub fn settled_at(&self, height: Height) -> Result<Option<(Hash, bool)>, ChainError> {
        let record: Option<HeightRecord> = self.decoded(Column::Heights, &records::height_key(height), "height")?;
        Ok(record.map(|r| (r.hash, r.direct)))
    }

    /// Block, height and position of a settled transaction.
    ///
    /// # Errors
    /// The store's, or a damaged value.
    pub fn settled_tx(&self, hash: &Hash) -> Result<Option<(Hash, Height, u64)>, ChainError> {
        let record: Option<TxRecord> = self.decoded(Column::Txs, hash.as_slice(), "transaction index")?;
        Ok(record.map(|r| (r.block, r.height, r.index)))
    }

    fn decoded<T: rlp::Decodable>(&self, column: Column, key: &[u8], what: &str) -> Result<Option<T>, ChainError> {
        self.store.get(column, key)?.map(|bytes| decode(what, &bytes)).transpose()
    }
}

impl std::fmt::Debug for Chain {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Chain").field("genesis", &self.genesis).field("head", &self.head().hash).finish_non_exhaustive()
    }
}

/// What consensus is told of an execution.
pub(crate) fn consensus_outcome(outcome: &BlockOutcome) -> Result<Executed, ChainError> {
    if !outcome.validators_changed {
        return Ok(Executed::default());
    }
    let set = vigil_consensus::ValidatorSet::from_stakes(outcome.validators.iter().copied());
    let set = set.map_err(|e| ChainError::Corrupt { what: "validator set".into(), reason: e.to_string() })?;
    Ok(Executed { set_after: Some(set) })
}

pub(crate) fn decode<T: rlp::Decodable>(what: &str, bytes: &[u8]) -> Result<T, ChainError> {
    rlp::decode_exact("stored value", bytes, usize::MAX)
        .map_err(|e: RlpError| ChainError::Corrupt { what: what.to_owned(), reason: e.to_string() })
}

fn put_nodes(batch: &mut Batch, nodes: &[(Hash, Bytes)]) {
    for (hash, node) in nodes {
        batch.put(Column::Nodes, hash, node.clone());
    }
}

/// Settled blocks with what settling them needs.
pub(crate) type SettledPair<'a> = (&'a SettledBlock, Arc<ExecutedBlock>);
