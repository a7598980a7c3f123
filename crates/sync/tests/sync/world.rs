//! A chain, peers that serve or lie, and a stand-in for consensus.

use std::collections::{BTreeMap, BTreeSet};
use vigil_primitives::{Block, BlockHeader, Bytes, Hash, Hcc, Height, rlp};
use vigil_sync::{
    Fault, Head, Millis, Peer, RangeAnswer, SyncConfig, SyncEffect, SyncInput, SyncStatus, Syncer, serve_range,
};

pub(crate) const CHAIN: &str = "testnet";
const TICK: Millis = 50;

/// A chain of `length` blocks above genesis; `salt` makes it another one from height `forks_at` up.
pub(crate) fn chain(length: u64, salt: u64, forks_at: Height) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    for height in 0..=length {
        let parent = blocks.last().map(Block::hash).unwrap_or_default();
        let timestamp = if height >= forks_at { salt } else { 0 };
        let header =
            BlockHeader { chain_id: CHAIN.into(), height, epoch: height, parent, timestamp, ..Default::default() };
        blocks.push(Block { header, txs: vec![] });
    }
    blocks
}

pub(crate) fn head(blocks: &[Block], height: Height) -> Head {
    Head { height, hash: blocks[height as usize].hash() }
}

/// How a peer behaves.
#[derive(Clone)]
pub(crate) enum Conduct {
    /// Serves what it has, after a while.
    Honest { after: Millis },
    /// Never answers.
    Silent,
    /// Says at once that it cannot.
    Failing,
    /// Answers with this.
    Says(RangeAnswer),
    /// Serves, at most so many blocks at a time.
    Stingy { blocks: u64 },
}

pub(crate) struct Server {
    pub(crate) blocks: Vec<Block>,
    pub(crate) settled: Height,
    pub(crate) conduct: Conduct,
}

pub(crate) struct World {
    pub(crate) now: Millis,
    pub(crate) syncer: Syncer,
    pub(crate) truth: Vec<Block>,
    pub(crate) servers: BTreeMap<Peer, Server>,
    pub(crate) settled: Height,
    pub(crate) penalties: Vec<(Peer, Fault, String)>,
    pub(crate) requests: Vec<(Peer, Height, u64)>,
    /// Most requests open at one time.
    pub(crate) open_max: usize,
    /// Highest block delivered above the settled head.
    pub(crate) ahead_max: Height,
    /// If false, consensus takes blocks and settles nothing.
    pub(crate) settles: bool,
    answers: BTreeMap<(Millis, u64), Result<RangeAnswer, String>>,
    open: BTreeSet<u64>,
    held: BTreeMap<Hash, Height>,
    rejected: Vec<(Hash, String)>,
    invalid: BTreeSet<Hash>,
}

impl World {
    /// We are at genesis, the true chain has `length` blocks.
    pub(crate) fn new(config: SyncConfig, length: u64) -> Self {
        let truth = chain(length + 1, 0, 0);
        let genesis = head(&truth, 0);
        Self {
            now: 1_000,
            syncer: Syncer::new(config, CHAIN, genesis),
            held: BTreeMap::from([(genesis.hash, 0)]),
            truth,
            servers: BTreeMap::new(),
            settled: 0,
            penalties: Vec::new(),
            requests: Vec::new(),
            open_max: 0,
            ahead_max: 0,
            settles: true,
            answers: BTreeMap::new(),
            open: BTreeSet::new(),
            rejected: Vec::new(),
            invalid: BTreeSet::new(),
        }
    }

    /// A peer that has the true chain settled up to `settled`.
    pub(crate) fn honest(&mut self, peer: u64, settled: Height, after: Millis) {
        self.serve(peer, self.truth.clone(), settled, Conduct::Honest { after });
        self.claim(peer, head(&self.truth, settled));
    }

    pub(crate) fn serve(&mut self, peer: u64, blocks: Vec<Block>, settled: Height, conduct: Conduct) {
        self.servers.insert(Peer(peer), Server { blocks, settled, conduct });
    }

    pub(crate) fn claim(&mut self, peer: u64, head: Head) {
        self.input(SyncInput::PeerHead { peer: Peer(peer), head });
    }

    pub(crate) fn status(&self) -> SyncStatus {
        self.syncer.status(self.now)
    }

    pub(crate) fn input(&mut self, input: SyncInput) {
        let mut effects = Vec::new();
        self.syncer.step(self.now, input, &mut effects);
        self.perform(effects);
        while let Some((hash, reason)) = self.rejected.pop() {
            let mut effects = Vec::new();
            self.syncer.step(self.now, SyncInput::Rejected { hash, reason }, &mut effects);
            self.perform(effects);
        }
    }

    /// Lets time pass until `done`; returns how long it took. Panics after `limit`.
    pub(crate) fn run_until(&mut self, limit: Millis, done: impl Fn(&Self) -> bool) -> Millis {
        let start = self.now;
        while !done(self) {
            assert!(self.now - start < limit, "not done after {limit} ms: at {}, {:?}", self.settled, self.status());
            self.now += TICK;
            while let Some(entry) = self.answers.first_entry() {
                if entry.key().0 > self.now {
                    break;
                }
                let ((_, id), answer) = entry.remove_entry();
                self.open.remove(&id);
                self.input(SyncInput::Answer { id, answer });
            }
            self.input(SyncInput::Tick);
        }
        self.now - start
    }

    pub(crate) fn run_for(&mut self, time: Millis) {
        let end = self.now + time;
        self.run_until(time + TICK, |world| world.now >= end);
    }

    /// Consensus settles up to `height` by itself.
    pub(crate) fn settle(&mut self, height: Height) {
        let head = head(&self.truth, height);
        self.held.insert(head.hash, height);
        self.settled = height;
        self.input(SyncInput::Settled(head));
    }

    pub(crate) fn fined(&self, peer: u64) -> Vec<Fault> {
        self.penalties.iter().filter(|(fined, ..)| fined.0 == peer).map(|(_, fault, _)| *fault).collect()
    }

    fn perform(&mut self, effects: Vec<SyncEffect>) {
        let before = self.settled;
        for effect in effects {
            match effect {
                SyncEffect::Request { peer, id, from, max } => self.asked(peer, id, from, max),
                SyncEffect::Deliver { hash, block, .. } => self.delivered(hash, &block),
                SyncEffect::Certificate { cert, .. } => self.certified(&cert),
                SyncEffect::Penalize { peer, fault, reason } => self.penalties.push((peer, fault, reason)),
                SyncEffect::Reward(_) => {}
            }
        }
        if self.settled > before {
            let head = head(&self.truth, self.settled);
            self.input(SyncInput::Settled(head));
        }
    }

    fn asked(&mut self, peer: Peer, id: u64, from: Height, max: u64) {
        assert!((1..=64).contains(&max), "{max} blocks asked for");
        self.requests.push((peer, from, max));
        self.open.insert(id);
        self.open_max = self.open_max.max(self.open.len());
        let server = &self.servers[&peer];
        let answer = |max| {
            let block =
                |height: Height| Ok::<_, String>(server.blocks.get(height as usize).map(|b| rlp::encode(b).into()));
            let tip = || {
                let child = server.blocks.get(server.settled as usize + 1);
                Ok(child.map(|child| (rlp::encode(child).into(), cert_of(child))))
            };
            serve_range(from, max, server.settled, block, tip)
        };
        let (after, answer) = match &server.conduct {
            Conduct::Honest { after } => (*after, answer(max)),
            Conduct::Silent => return,
            Conduct::Failing => (0, Err("stream failed".into())),
            Conduct::Says(answer) => (10, Ok(answer.clone())),
            Conduct::Stingy { blocks } => (10, answer(max.min(*blocks))),
        };
        self.answers.insert((self.now + after, id), answer);
    }

    /// Consensus: a block off the true chain is found invalid, a true one
    /// settles its grandparent (its header's certificate is its parent's).
    fn delivered(&mut self, hash: Hash, block: &Block) {
        let height = block.header.height;
        if self.invalid.contains(&block.header.parent) {
            self.invalid.insert(hash);
            return;
        }
        assert!(self.held.contains_key(&block.header.parent), "block {height} came before its parent");
        self.ahead_max = self.ahead_max.max(height.saturating_sub(self.settled));
        if self.truth.get(height as usize).is_none_or(|truth| truth.hash() != hash) {
            self.invalid.insert(hash);
            return self.rejected.push((hash, "a bad signature".into()));
        }
        self.held.insert(hash, height);
        if self.settles {
            self.settled = self.settled.max(height.saturating_sub(2));
        }
    }

    fn certified(&mut self, cert: &Hcc) {
        if let Some(height) = self.held.get(&cert.block_hash)
            && self.settles
        {
            self.settled = self.settled.max(height - 1);
        }
    }
}

pub(crate) fn cert_of(block: &Block) -> Bytes {
    rlp::encode(&Hcc { votes: vec![], block_hash: block.hash() }).into()
}
