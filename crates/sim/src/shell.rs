//! A node around its machine: what is durable, what is executed, when it crashes. The mirror of what `vigil-node` does.

mod journal;
mod store;

use crate::agenda::Time;
use crate::keys::Signer;
use crate::ledger::{State, Toy, ToyTx, tx_root};
use crate::plan::{Crash, Disk};
use journal::Journal;
use std::collections::BTreeMap;
use std::sync::Arc;
use store::Store;
use vigil_consensus::{
    BlockFault, BuildRequest, Config, Effect, Executed, Input, JournalRecord, Lookup, Machine, Message, Millis, Now,
    Recovered, RestartPoint, Rules, Settled, TimerId, UnknownOwn, ValidatorSet,
};
use vigil_primitives::{Block, BlockHeader, Epoch, Hash, Hcc, Height};

/// Unix time at the start of a run, in ms.
pub const UNIX_START_MS: u64 = 1_800_000_000_000;

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
    journal: Journal,
    store: Store,
    /// What its machine does with statements of its key that its journal does not know.
    pub unknown_own: UnknownOwn,
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
        let state = toy.genesis();
        Self::from_block(node, config, signer, toy, (genesis, state), clock_offset)
    }

    /// The same, where the chain or a segment of it begins with a block of that state.
    pub fn from_block(
        node: usize,
        config: Config,
        signer: Signer,
        toy: Toy,
        (first, state): (&Arc<Block>, State),
        clock_offset: i64,
    ) -> Self {
        let restart = RestartPoint::genesis(&first.header, validator_set(&toy, state.committee));
        let store = Store::new(first, state, restart);
        // who may vote twice a height, or lies, hears of more than it remembers
        let unknown_own = if config.rules == Rules::default() { UnknownOwn::Halt } else { UnknownOwn::Ignore };
        Self {
            node,
            config,
            signer,
            toy,
            machine: None,
            incarnation: 0,
            booted_at: 0,
            clock_offset,
            journal: Journal::default(),
            store,
            unknown_own,
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

    /// Starts from what is durable.
    pub fn boot(&mut self, now: Time, effects: &mut Vec<Effect>) {
        let recovered = Recovered {
            journal: self.journal.replay(),
            restart: self.store.restart(),
            pending: self.store.pending(),
            certs: self.store.certs(),
        };
        self.booted_at = now;
        self.busy_until = now;
        let mut machine = Machine::new(self.config.clone(), Box::new(self.signer.clone()), recovered);
        machine.on_unknown_own(self.unknown_own);
        self.machine = Some(machine);
        self.step(now, Input::Start, effects);
    }

    /// Ends without a word. Answers what the journal does not hold any more.
    pub fn crash(&mut self, disk: Disk) -> Vec<JournalRecord> {
        self.machine = None;
        self.incarnation += 1;
        self.timers.clear();
        self.building = None;
        self.armed = None;
        match disk {
            Disk::Kept => Vec::new(),
            Disk::LosesCertificates => {
                self.store.lose_certificates();
                Vec::new()
            }
            Disk::LosesUnsettled => {
                self.store.lose_unsettled();
                Vec::new()
            }
            Disk::OldCopy { settlements, records } => {
                self.store.roll_back(settlements);
                self.journal.roll_back(records)
            }
        }
    }

    /// The settled head on the disk.
    pub fn stored_head(&self) -> (Height, Hash) {
        self.store.head()
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
        self.journal.write(record);
    }

    /// True if the journal holds the vote for the block.
    pub fn has_journalled_vote(&self, block: &Hash) -> bool {
        self.journal.votes.contains(block)
    }

    /// True if the journal holds the proposal.
    pub fn has_journalled_proposal(&self, epoch: Epoch, block: Hash) -> bool {
        self.journal.proposals.contains(&(epoch, block))
    }

    /// True if the journal holds an `EpochChange` of this target or above.
    pub fn has_journalled_change(&self, target: Epoch) -> bool {
        self.journal.change >= target
    }

    /// True if the block is there, executed.
    pub fn has_executed(&self, hash: &Hash) -> bool {
        self.store.state(hash).is_some()
    }

    /// Executes a block. `None`: its parent was never executed here.
    pub fn execute(&self, block: &Block) -> Option<Result<(Executed, State), BlockFault>> {
        let parent = self.store.state(&block.header.parent)?;
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

    /// A block that was executed, with the state after it.
    pub fn stored(&self, hash: &Hash) -> Option<(Arc<Block>, State)> {
        self.store.executed(hash)
    }

    /// Keeps an executed block.
    pub fn keep(&mut self, hash: Hash, block: Arc<Block>, executed: Executed, state: State) {
        self.store.keep(hash, block, executed, state);
    }

    /// Builds the block that was asked for.
    pub fn build(&self, now: Time, request: &BuildRequest, mempool: &[ToyTx]) -> Option<(Block, Executed)> {
        let parent = self.store.state(&request.parent)?;
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
            ..BlockHeader::default()
        };
        let set_after = (state.committee != parent.committee).then(|| validator_set(&self.toy, state.committee));
        Some((Block { header, txs }, Executed { set_after }))
    }

    /// Keeps a certificate.
    pub fn keep_cert(&mut self, hcc: Arc<Hcc>) {
        self.store.keep_cert(hcc);
    }

    /// Moves the settled head, in one batch.
    pub fn settle(&mut self, settled: &Settled) {
        self.store.settle(settled);
    }

    /// Forgets blocks.
    pub fn discard(&mut self, hashes: &[Hash]) {
        self.store.discard(hashes);
    }

    /// What the store answers to a peer.
    pub fn lookup(&self, lookup: Lookup) -> Option<Message> {
        self.store.lookup(lookup)
    }
}

/// The machine's form of a committee.
pub fn validator_set(toy: &Toy, committee: u8) -> ValidatorSet {
    let members = toy.committees[usize::from(committee)].members();
    ValidatorSet::new(members.iter().map(|member| (member.address, u128::from(member.weight)))).expect("a valid set")
}
