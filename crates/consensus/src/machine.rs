//! The machine: its state, and the one match over [`Input`].

use crate::certs::Cert;
use crate::epochs::Clock;
use crate::fetch::Fetches;
use crate::handle::rival::Proposed;
use crate::parking::Parking;
use crate::propose::Turn;
use crate::rollback::Signed;
use crate::sets::Sets;
use crate::signer::Signer;
use crate::tally::Tally;
use crate::tree::Tree;
use crate::{
    BlockMeta, Buffered, Config, Effect, EpochChange, Input, JournalRecord, JournalState, Keys, Lock, Message, Now,
    Peer, Penalty, Recovered, SetKey, TimerId, UnknownOwn, ValidatorSet, View,
};
use std::collections::BTreeMap;
use std::sync::Arc;
use vigil_primitives::{Address, Block, Epoch, Evidence, Hash, Hcc, Height};

/// The settlement machine of one node. A copy is a machine of its own, with the same key: a simulator's what-if.
#[derive(Clone)]
pub struct Machine {
    pub(crate) config: Config,
    pub(crate) signer: Signer,
    pub(crate) now: Now,
    /// Effects of the step under way.
    pub(crate) out: Vec<Effect>,
    pub(crate) tree: Tree,
    pub(crate) sets: Sets,
    pub(crate) certs: BTreeMap<Hash, Cert>,
    pub(crate) tally: Tally,
    /// The latest `EpochChange` of each sender, ours included.
    pub(crate) changes: BTreeMap<Address, EpochChange>,
    pub(crate) parking: Parking,
    pub(crate) proposed: Proposed,
    pub(crate) fetches: Fetches,
    /// What we signed; always equal to the replay of the journal.
    pub(crate) own: JournalState,
    /// The part of it that is told apart one by one.
    pub(crate) signed: Signed,
    pub(crate) unknown_own: UnknownOwn,
    pub(crate) clock: Clock,
    pub(crate) turn: Turn,
    /// Block of the highest certificate that is held and executed.
    pub(crate) high: Hash,
    /// The set of its children.
    pub(crate) active: SetKey,
    pub(crate) seen_height: Height,
    pub(crate) halted: bool,
    /// Parked blocks may have become ready.
    pub(crate) unpark: bool,
    started: bool,
}

impl Machine {
    /// A machine that stands where it stopped. Give it [`Input::Start`] first.
    pub fn new(config: Config, keys: Box<dyn Keys>, recovered: Recovered) -> Self {
        let Recovered { journal, restart, pending, certs } = recovered;
        let head = restart.head();
        let mut machine = Self {
            signer: Signer::new(keys),
            now: Now::default(),
            out: Vec::new(),
            sets: Sets::restore(&restart.sets, head),
            certs: BTreeMap::new(),
            tally: Tally::default(),
            changes: BTreeMap::new(),
            parking: Parking::default(),
            proposed: Proposed::default(),
            fetches: Fetches::default(),
            clock: Clock::new(match head.hash == config.domain.genesis_hash {
                true => journal.epoch(),
                false => journal.epoch().max(head.epoch + 1),
            }),
            turn: Turn::default(),
            high: head.hash,
            active: head.set,
            seen_height: head.height,
            halted: journal.rolled_back.is_some(),
            unpark: false,
            started: false,
            signed: Signed::new(&journal),
            unknown_own: if journal.is_fresh() { UnknownOwn::Adopt } else { UnknownOwn::Halt },
            own: journal,
            tree: Tree::new(restart.tail),
            config,
        };
        machine.load(pending, certs);
        machine
    }

    /// Takes one input and appends what is to be done, in order.
    pub fn step(&mut self, now: Now, input: Input, effects: &mut Vec<Effect>) {
        self.now = now;
        match input {
            Input::Start => self.on_start(),
            Input::Received { from, message } => self.on_message(from, message),
            Input::Disconnected(peer) => self.on_disconnected(peer),
            Input::Executed { block, outcome } => self.on_executed(block, outcome),
            Input::Built { epoch, block, executed } => self.on_built(epoch, *block, executed),
            Input::Timer(TimerId::Epoch) => self.on_epoch_timer(),
            Input::Timer(TimerId::Fetch) => self.on_fetch_timer(),
            Input::Timer(TimerId::Propose) => self.clock.armed[1] = None,
        }
        if self.started {
            self.progress();
        }
        effects.append(&mut self.out);
    }

    fn on_start(&mut self) {
        self.started = true;
        self.look_at_start();
        self.start_clock();
        self.resend_proposal();
    }

    fn on_message(&mut self, from: Peer, message: Message) {
        self.fetches.note_peer(from);
        self.look_for_own(&message);
        match message {
            Message::Vote(vote) => self.on_vote(from, vote),
            Message::EpochChange(change) => self.on_change(from, change),
            Message::Proposal(proposal) => self.on_proposal(from, proposal),
            Message::EpochCert(cert) => self.on_epoch_cert(from, cert),
            Message::Certificate(hcc) => {
                self.learn_cert(&hcc, Some(from));
            }
            Message::Block(block) => self.on_block(from, block),
            Message::CertReq(hash) => self.on_cert_request(from, hash),
            Message::BlockReq(hash) => self.on_block_request(from, hash),
        }
    }

    /// Runs all rules until none has anything more to do.
    fn progress(&mut self) {
        while self.settle_certified() || self.advance_epoch() || self.unpark_due() || self.vote_in_epoch() {}
        self.shorten_climb();
        self.propose_if_due();
        self.arm_timers();
    }

    fn arm_timers(&mut self) {
        let due = [
            (TimerId::Epoch, self.clock.deadline),
            (TimerId::Propose, self.turn.deadline),
            (TimerId::Fetch, self.fetches.deadline()),
        ];
        for (i, (id, at)) in due.into_iter().enumerate() {
            if let Some(at) = at
                && self.clock.armed[i] != Some(at)
            {
                self.out.push(Effect::SetTimer { id, at });
            }
            self.clock.armed[i] = at;
        }
    }

    /// Puts what was stored back into memory. Nothing is sent or done.
    fn load(&mut self, pending: Vec<(Arc<Block>, crate::Executed)>, certs: Vec<Hcc>) {
        let genesis = Hcc { votes: Vec::new(), block_hash: self.config.domain.genesis_hash };
        if let crate::certs::Verdict::Valid(cert) = self.check_cert(&genesis)
            && self.tree.head().hash == genesis.block_hash
        {
            self.certs.insert(genesis.block_hash, cert);
        }
        let stored: BTreeMap<Hash, &Hcc> = certs.iter().map(|hcc| (hcc.block_hash, hcc)).collect();
        if let Some(hcc) = stored.get(&self.tree.head().hash) {
            self.learn_cert(hcc, None);
        }
        for (block, executed) in pending {
            self.restore_block(block, executed);
        }
        for hcc in &certs {
            self.learn_cert(hcc, None);
        }
        if let Some(vote) = self.own.last_vote.clone() {
            self.count_vote(&vote);
        }
        self.refresh_high();
        self.out.clear();
    }

    /// Makes a record durable before what follows, and remembers it.
    pub(crate) fn journal(&mut self, record: JournalRecord) {
        self.own.apply(record.clone());
        self.signed.note(&record);
        self.out.push(Effect::Journal(record));
    }

    pub(crate) fn penalize(&mut self, peer: Option<Peer>, reason: Penalty) {
        if let Some(peer) = peer {
            self.out.push(Effect::Penalize { peer, reason });
        }
    }

    pub(crate) fn report(&mut self, evidence: Evidence) {
        self.out.push(Effect::Evidence(Box::new(evidence)));
    }

    pub(crate) fn broadcast(&mut self, message: Message) {
        self.out.push(Effect::Broadcast(message));
    }

    /// True if we are a member of the set that counts, and may sign.
    pub(crate) fn may_sign(&self) -> bool {
        !self.halted && self.config.is_member(self.validators())
    }

    /// Rank and block of our lock.
    pub(crate) fn lock_rank(&self) -> ((u64, Height), Hash) {
        self.own.lock.as_ref().map_or(((0, 0), self.config.domain.genesis_hash), |lock| (lock.rank(), lock.hash))
    }

    /// Our lock: at least genesis.
    pub(crate) fn lock(&self) -> Lock {
        let genesis = self.config.domain.genesis_hash;
        self.own.lock.clone().unwrap_or_else(|| Lock {
            set_index: 0,
            height: 0,
            hash: genesis,
            cc: Hcc { votes: Vec::new(), block_hash: genesis },
        })
    }

    /// The state, for invariants, status and metrics.
    pub fn view(&self) -> View {
        let (head, (lock_rank, lock_hash)) = (self.tree.head(), self.lock_rank());
        let high = self.tree.meta(&self.high).unwrap_or(head);
        View {
            epoch: self.clock.epoch,
            backoff: self.clock.backoff,
            lock: (lock_rank.0, lock_rank.1, lock_hash),
            last_vote: self.own.last_vote.as_ref().map(|vote| (vote.height, vote.block_epoch, vote.block_hash)),
            own_ec: self.own.change_target,
            settled: (head.height, head.hash),
            high_cert: (high.set.index, high.height, high.hash),
            seen_height: self.seen_height,
            has_epoch_cert: self.clock.cert.is_some(),
            halted: self.halted,
            buffered: Buffered {
                blocks: self.tree.len(),
                parked: self.parking.len(),
                votes: self.tally.len(),
                ecs: self.changes.len(),
                certs: self.certs.len(),
                fetching: self.fetches.len(),
            },
        }
    }

    /// What is known of a block: the pending ones and a few settled ones.
    pub fn meta(&self, hash: &Hash) -> Option<&BlockMeta> {
        self.tree.meta(hash)
    }

    /// A block above the settled head.
    pub fn block(&self, hash: &Hash) -> Option<&Arc<Block>> {
        self.tree.node(hash).map(|node| &node.block)
    }

    /// The settled head.
    pub fn settled(&self) -> (Height, Hash) {
        (self.tree.head().height, self.tree.head().hash)
    }

    /// A certificate, if it is held.
    pub fn cert(&self, hash: &Hash) -> Option<&Arc<Hcc>> {
        self.certs.get(hash).map(|cert| &cert.hcc)
    }

    /// The set that counts now: of a child of the highest certificate's block.
    pub fn validators(&self) -> &ValidatorSet {
        self.sets.get(&self.active).expect("the active set is known")
    }

    /// The name of [`Machine::validators`].
    pub fn set_key(&self) -> SetKey {
        self.active
    }

    /// Whose turn `epoch` is, by the set that counts now. `None`: too far away.
    pub fn proposer(&self, epoch: Epoch) -> Option<Address> {
        self.sets.peek_proposer(&self.active, epoch)
    }

    /// The executed block of the highest certificate: what "pending" reads see.
    pub fn tip(&self) -> Hash {
        self.high
    }

    /// What a restart from here needs.
    pub fn restart_point(&self) -> crate::RestartPoint {
        let tail = self.tree.tail().to_vec();
        let sets = self.sets.snapshots(&tail);
        crate::RestartPoint { tail, sets }
    }
}
