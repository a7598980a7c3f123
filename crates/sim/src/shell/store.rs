//! The chain database of a node: what is executed, what is settled.

use crate::ledger::State;
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;
use vigil_consensus::{Executed, Lookup, Message, RestartPoint, Settled};
use vigil_primitives::{Block, Hash, Hcc, Height};

/// Settled heads that are remembered, to restore an older copy.
const FORMER_MAX: usize = 16;

/// A block that was executed.
#[derive(Clone)]
struct Stored {
    block: Arc<Block>,
    executed: Executed,
    state: State,
    settled: bool,
}

/// What survives a crash (all of it, or only what is settled).
#[derive(Clone)]
pub(super) struct Store {
    restart: Arc<RestartPoint>,
    /// The settled heads before, oldest first.
    former: VecDeque<Arc<RestartPoint>>,
    blocks: HashMap<Hash, Stored>,
    /// Parents first.
    order: Vec<Hash>,
    certs: BTreeMap<Hash, Arc<Hcc>>,
    /// Certified block to the settled block whose header carries its certificate.
    carriers: HashMap<Hash, Hash>,
}

impl Store {
    pub(super) fn new(genesis: &Arc<Block>, state: State, restart: RestartPoint) -> Self {
        let stored = Stored { block: genesis.clone(), executed: Executed::default(), state, settled: true };
        Self {
            restart: Arc::new(restart),
            former: VecDeque::new(),
            blocks: HashMap::from([(genesis.hash(), stored)]),
            order: Vec::new(),
            certs: BTreeMap::new(),
            carriers: HashMap::new(),
        }
    }

    /// The settled head.
    pub(super) fn head(&self) -> (Height, Hash) {
        (self.restart.head().height, self.restart.head().hash)
    }

    /// The settled head with what a start needs. Bytes go through their encoding, as on a disk.
    pub(super) fn restart(&self) -> RestartPoint {
        RestartPoint::from_bytes(&self.restart.to_bytes()).expect("we wrote it")
    }

    /// Executed blocks that are not settled, parents first.
    pub(super) fn pending(&self) -> Vec<(Arc<Block>, Executed)> {
        let held = self.order.iter().filter_map(|hash| self.blocks.get(hash));
        held.filter(|stored| !stored.settled).map(|stored| (stored.block.clone(), stored.executed.clone())).collect()
    }

    /// All certificates that are kept.
    pub(super) fn certs(&self) -> Vec<Hcc> {
        self.certs.values().map(|hcc| hcc.as_ref().clone()).collect()
    }

    /// The state after a block that was executed.
    pub(super) fn state(&self, block: &Hash) -> Option<&State> {
        self.blocks.get(block).map(|stored| &stored.state)
    }

    /// A block that was executed, with the state after it.
    pub(super) fn executed(&self, block: &Hash) -> Option<(Arc<Block>, State)> {
        self.blocks.get(block).map(|stored| (stored.block.clone(), stored.state.clone()))
    }

    /// Keeps an executed block.
    pub(super) fn keep(&mut self, hash: Hash, block: Arc<Block>, executed: Executed, state: State) {
        self.blocks.entry(hash).or_insert_with(|| {
            self.order.push(hash);
            Stored { block, executed, state, settled: false }
        });
    }

    /// Loses certificates that are not settled.
    pub(super) fn lose_certificates(&mut self) {
        self.certs.clear();
    }

    /// Loses blocks and certificates that are not settled.
    pub(super) fn lose_unsettled(&mut self) {
        self.blocks.retain(|_, stored| stored.settled);
        self.order.clear();
        self.certs.clear();
    }

    /// Becomes the copy that was made `count` settlements ago, or as many as are remembered.
    pub(super) fn roll_back(&mut self, count: usize) {
        for _ in 0..count {
            let Some(former) = self.former.pop_back() else { break };
            self.restart = former;
        }
        let (height, _) = self.head();
        self.lose_unsettled();
        self.blocks.retain(|_, stored| stored.block.header.height <= height);
        self.carriers.retain(|_, carrier| self.blocks.contains_key(carrier));
    }

    /// Keeps a certificate.
    pub(super) fn keep_cert(&mut self, hcc: Arc<Hcc>) {
        self.certs.insert(hcc.block_hash, hcc);
    }

    /// Moves the settled head, in one batch.
    pub(super) fn settle(&mut self, settled: &Settled) {
        for block in &settled.blocks {
            if let Some(stored) = self.blocks.get_mut(&block.hash) {
                stored.settled = true;
            }
            self.carriers.insert(block.block.header.hcc.block_hash, block.hash);
        }
        self.discard(&settled.discarded);
        let head = settled.restart.head().height;
        let above = |hash: &Hash| self.blocks.get(hash).is_none_or(|stored| stored.block.header.height >= head);
        self.certs.retain(|hash, _| above(hash));
        self.order.retain(|hash| self.blocks.get(hash).is_some_and(|stored| !stored.settled));
        let former = std::mem::replace(&mut self.restart, Arc::new(settled.restart.clone()));
        self.former.push_back(former);
        if self.former.len() > FORMER_MAX {
            self.former.pop_front();
        }
    }

    /// Forgets blocks.
    pub(super) fn discard(&mut self, hashes: &[Hash]) {
        for hash in hashes {
            self.blocks.remove(hash);
        }
        self.order.retain(|hash| !hashes.contains(hash));
    }

    /// What the store answers to a peer.
    pub(super) fn lookup(&self, lookup: Lookup) -> Option<Message> {
        match lookup {
            Lookup::Block(hash) => self.blocks.get(&hash).map(|stored| Message::Block(stored.block.clone())),
            Lookup::Cert(hash) => {
                let carried = || {
                    let carrier = self.blocks.get(self.carriers.get(&hash)?)?;
                    Some(Arc::new(carrier.block.header.hcc.clone()))
                };
                self.certs.get(&hash).cloned().or_else(carried).map(Message::Certificate)
            }
        }
    }
}
