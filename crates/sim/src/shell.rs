//! A node around its machine: what is durable, what is executed, when it crashes. The mirror of what `vigil-node` does.

use crate::agenda::Time;
use crate::keys::Signer;
use crate::ledger::{State, Toy, ToyTx, tx_root};
use crate::plan::Crash;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;
use vigil_consensus::{
    BlockFault, BuildRequest, Config, Effect, Executed, Input, JournalRecord, JournalState, Lookup, Machine, Message,
    Millis, Now, Recovered, RestartPoint, Settled, TimerId, ValidatorSet,
};
use vigil_primitives::{Block, BlockHeader, Epoch, Hash, Hcc, Signature};

/// Unix time at the start of a run, in ms.
pub const UNIX_START_MS: u64 = 1_800_000_000_000;

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
struct Store {
    restart: RestartPoint,
    blocks: HashMap<Hash, Stored>,
    /// Parents first.
    order: Vec<Hash>,
    certs: BTreeMap<Hash, Arc<Hcc>>,
    /// Certified block to the settled block whose header carries its certificate.
    carriers: HashMap<Hash, Hash>,
}

/// A node.
#[derive(Clone)]
pub struct Shell {
    /// Its number.
    pub node: usize,
    config: Config,
    signer: Signer,
    toy: Toy,
    machine: Option<Machine>,
    /// Counts restarts: events of a former life are dropped.
    pub incarnation: u32,
    booted_at: Time,
    clock_offset: i64,
    journal: Vec<Vec<u8>>,
    journalled_votes: HashSet<Hash>,
    journalled_proposals: HashSet<(Epoch, Hash)>,
    journalled_change: Epoch,
    store: Store,
    timers: BTreeMap<TimerId, Millis>,
    /// The build that is awaited.
    pub building: Option<Epoch>,
    /// When the executor is free.
    pub busy_until: Time,
    /// A crash that waits for its point.
    pub armed: Option<Crash>,
}

impl Shell {
    /// A node that was never started. `genesis` is block 0.
    pub fn new(node: usize, config: Config, signer: Signer, toy: Toy, genesis: &Arc<Block>, clock_offset: i64) -> Self {
        let restart = RestartPoint::genesis(&genesis.header, validator_set(&toy, 0));
        let hash = genesis.hash();
        let stored =
            Stored { block: genesis.clone(), executed: Executed::default(), state: toy.genesis(), settled: true };
        let store = Store {
            restart,
            blocks: HashMap::from([(hash, stored)]),
            order: Vec::new(),
            certs: BTreeMap::new(),
            carriers: HashMap::new(),
        };
        Self {
            node,
            config,
            signer,
            toy,
            machine: None,
            incarnation: 0,
            booted_at: 0,
            clock_offset,
            journal: Vec::new(),
            journalled_votes: HashSet::new(),
            journalled_proposals: HashSet::new(),
            journalled_change: 0,
            store,
            timers: BTreeMap::new(),
            building: None,
            busy_until: 0,
            armed: None,
        }
    }

    /// The machine, while the node is up.
    pub fn machine(&self) -> Option<&Machine> {
        self.machine.as_ref()
    }

    /// Starts from what is durable. Bytes go through their encoding, as on a disk.
    pub fn boot(&mut self, now: Time, effects: &mut Vec<Effect>) {
        let records = self.journal.iter().map(|bytes| JournalRecord::from_bytes(bytes).expect("we wrote it"));
        let restart = RestartPoint::from_bytes(&self.store.restart.to_bytes()).expect("we wrote it");
        let held = self.store.order.iter().filter_map(|hash| self.store.blocks.get(hash));
        let pending = held
            .filter(|stored| !stored.settled)
            .map(|stored| (stored.block.clone(), stored.executed.clone()))
            .collect();
        let certs = self.store.certs.values().map(|hcc| hcc.as_ref().clone()).collect();
        let recovered = Recovered { journal: JournalState::replay(records), restart, pending, certs };
        self.booted_at = now;
        self.busy_until = now;
        self.machine = Some(Machine::new(self.config.clone(), Box::new(self.signer.clone()), recovered));
        self.step(now, Input::Start, effects);
    }

    /// Ends without a word. Settled blocks and the journal stay; the rest only unless `loses_store`.
    pub fn crash(&mut self, loses_store: bool) {
        self.machine = None;
        self.incarnation += 1;
        self.timers.clear();
        self.building = None;
        self.armed = None;
        if loses_store {
            self.store.blocks.retain(|_, stored| stored.settled);
            self.store.order.clear();
            self.store.certs.clear();
        }
    }

    /// Gives the machine an input. Nothing happens while the node is down.
    pub fn step(&mut self, now: Time, input: Input, effects: &mut Vec<Effect>) {
        let clock = Now { mono: now - self.booted_at, unix: self.unix(now) };
        if let Some(machine) = &mut self.machine {
            machine.step(clock, input, effects);
        }
    }

    fn unix(&self, now: Time) -> u64 {
        (UNIX_START_MS + now).saturating_add_signed(self.clock_offset) / 1_000
    }

    /// When a timer rings, in virtual time.
    pub fn set_timer(&mut self, id: TimerId, at: Millis) -> Time {
        self.timers.insert(id, at);
        self.booted_at + at
    }

    /// True if this is the time a timer was last set to.
    pub fn is_due(&self, id: TimerId, at: Time) -> bool {
        self.timers.get(&id) == Some(&(at - self.booted_at))
    }

    /// Makes a record durable.
    pub fn write_journal(&mut self, record: &JournalRecord) {
        match record {
            JournalRecord::Vote { vote, .. } => {
                self.journalled_votes.insert(vote.block_hash);
            }
            JournalRecord::Proposal { epoch, hash } => {
                self.journalled_proposals.insert((*epoch, *hash));
            }
            JournalRecord::EpochChange { target } => self.journalled_change = self.journalled_change.max(*target),
        }
        self.journal.push(record.to_bytes());
    }

    /// True if the journal holds the vote for the block.
    pub fn has_journalled_vote(&self, block: &Hash) -> bool {
        self.journalled_votes.contains(block)
    }

    /// True if the journal holds the proposal.
    pub fn has_journalled_proposal(&self, epoch: Epoch, block: Hash) -> bool {
        self.journalled_proposals.contains(&(epoch, block))
    }

    /// True if the journal holds an `EpochChange` of this target or above.
    pub fn has_journalled_change(&self, target: Epoch) -> bool {
        self.journalled_change >= target
    }

    /// True if the block is there, executed.
    pub fn has_executed(&self, hash: &Hash) -> bool {
        self.store.blocks.contains_key(hash)
    }

    /// Executes a block. `None`: its parent was never executed here.
    pub fn execute(&self, block: &Block) -> Option<Result<(Executed, State), BlockFault>> {
        let parent = &self.store.blocks.get(&block.header.parent)?.state;
        if block.header.tx_root != tx_root(&block.txs) {
            return Some(Err(BlockFault::Body));
        }
        if block.txs.iter().any(|raw| ToyTx::from_raw(raw).is_none()) {
            return Some(Err(BlockFault::Stateless("a transaction has no meaning".into())));
        }
        let state = match self.toy.execute(parent, block) {
            Ok(state) => state,
            Err(fault) => return Some(Err(BlockFault::Invalid(fault))),
        };
        let set_after = (state.committee != parent.committee).then(|| validator_set(&self.toy, state.committee));
        Some(Ok((Executed { set_after }, state)))
    }

    /// Keeps an executed block.
    pub fn keep(&mut self, hash: Hash, block: Arc<Block>, executed: Executed, state: State) {
        self.store.blocks.entry(hash).or_insert_with(|| {
            self.store.order.push(hash);
            Stored { block, executed, state, settled: false }
        });
    }

    /// Builds the block that was asked for.
    pub fn build(&self, now: Time, request: &BuildRequest, mempool: &[ToyTx]) -> Option<(Block, Executed)> {
        let parent = &self.store.blocks.get(&request.parent)?.state;
        let txs = self.toy.choose(parent, mempool, request.allow_set_change);
        let state = self.toy.apply(parent, request.height, request.epoch, &txs).expect("chosen to be valid");
        let header = BlockHeader {
            chain_id: self.config.domain.chain_id.clone(),
            epoch: request.epoch,
            height: request.height,
            parent: request.parent,
            hcc: request.hcc.as_ref().clone(),
            tx_root: tx_root(&txs),
            state_root: state.root,
            timestamp: self.unix(now).max(request.min_timestamp),
            proposer: request.proposer,
            signature: Signature::none(),
        };
        let set_after = (state.committee != parent.committee).then(|| validator_set(&self.toy, state.committee));
        Some((Block { header, txs }, Executed { set_after }))
    }

    /// Keeps a certificate.
    pub fn keep_cert(&mut self, hcc: Arc<Hcc>) {
        self.store.certs.insert(hcc.block_hash, hcc);
    }

    /// Moves the settled head, in one batch.
    pub fn settle(&mut self, settled: &Settled) {
        for block in &settled.blocks {
            if let Some(stored) = self.store.blocks.get_mut(&block.hash) {
                stored.settled = true;
            }
            self.store.carriers.insert(block.block.header.hcc.block_hash, block.hash);
        }
        self.discard(&settled.discarded);
        let head = settled.restart.head().height;
        let above = |hash: &Hash| self.store.blocks.get(hash).is_none_or(|stored| stored.block.header.height >= head);
        self.store.certs.retain(|hash, _| above(hash));
        self.store.order.retain(|hash| self.store.blocks.get(hash).is_some_and(|stored| !stored.settled));
        self.store.restart = settled.restart.clone();
    }

    /// Forgets blocks.
    pub fn discard(&mut self, hashes: &[Hash]) {
        for hash in hashes {
            self.store.blocks.remove(hash);
        }
        self.store.order.retain(|hash| !hashes.contains(hash));
    }

    /// What the store answers to a peer.
    pub fn lookup(&self, lookup: Lookup) -> Option<Message> {
        match lookup {
            Lookup::Block(hash) => self.store.blocks.get(&hash).map(|stored| Message::Block(stored.block.clone())),
            Lookup::Cert(hash) => {
                let carried = || {
                    let carrier = self.store.blocks.get(self.store.carriers.get(&hash)?)?;
                    Some(Arc::new(carrier.block.header.hcc.clone()))
                };
                self.store.certs.get(&hash).cloned().or_else(carried).map(Message::Certificate)
            }
        }
    }
}

/// The machine's form of a committee.
pub fn validator_set(toy: &Toy, committee: u8) -> ValidatorSet {
    let members = toy.committees[usize::from(committee)].members();
    ValidatorSet::new(members.iter().map(|member| (member.address, u128::from(member.weight)))).expect("a valid set")
}
