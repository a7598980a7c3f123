//! Peers that serve or lie, and a stand-in for consensus.

use crate::history::{CHAIN, FIRST, History, SECOND, is_signed};
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use vigil_consensus::ValidatorSet;
use vigil_primitives::{Block, Bytes, Hash, Hcc, Height};
use vigil_sync::{
    Answer, AnswerError, Ask, Fault, Head, Millis, Peer, SyncConfig, SyncEffect, SyncInput, SyncStatus, Syncer,
    serve_bodies, serve_headers, verify,
};
use vigil_trie::ScalarHasher;

const TICK: Millis = 50;

/// An answer before it is decoded.
#[derive(Clone, Default)]
pub(crate) struct Raw {
    pub(crate) headers: Option<Vec<Bytes>>,
    pub(crate) tip: Option<Bytes>,
    pub(crate) bodies: Vec<Bytes>,
}

/// What a liar makes of the question and the honest answer; `None`: it stays silent.
pub(crate) type Lie = Rc<dyn Fn(&Ask, Raw) -> Option<Raw>>;

/// How a peer behaves.
#[derive(Clone)]
pub(crate) enum Conduct {
    /// Serves what it has, after a while.
    Honest { after: Millis },
    /// Never answers.
    Silent,
    /// Says at once that it cannot.
    Failing,
    /// Serves, at most so many items at a time.
    Stingy { items: usize },
    /// Lies, after 10 ms.
    Lies(Lie),
    /// Lies, each time after so long.
    Timed(TimedLie),
}

/// When a liar says what.
pub(crate) type TimedLie = Rc<dyn Fn(&Ask, Raw) -> (Millis, Raw)>;

pub(crate) fn lies(lie: impl Fn(&Ask, Raw) -> Option<Raw> + 'static) -> Conduct {
    Conduct::Lies(Rc::new(lie))
}

pub(crate) struct Server {
    history: Rc<History>,
    settled: Height,
    conduct: Conduct,
}

pub(crate) struct World {
    pub(crate) now: Millis,
    pub(crate) syncer: Syncer,
    pub(crate) truth: Rc<History>,
    pub(crate) servers: BTreeMap<Peer, Server>,
    pub(crate) settled: Height,
    pub(crate) penalties: Vec<(Peer, Fault, String)>,
    pub(crate) requests: Vec<(Peer, Ask)>,
    /// Most requests open at one time.
    pub(crate) open_max: usize,
    /// Highest block delivered above the settled head.
    pub(crate) ahead_max: Height,
    /// If false, consensus takes blocks and settles nothing.
    pub(crate) settles: bool,
    /// Consensus finds this block invalid, though certified.
    pub(crate) invalid: Option<Height>,
    /// The block that changes the validators; the second next is the first of the new ones.
    pub(crate) set_change: Option<Height>,
    /// Blocks delivered that are not of the true chain.
    pub(crate) strays: BTreeSet<Hash>,
    sets: Vec<ValidatorSet>,
    answers: BTreeMap<(Millis, u64), SyncInput>,
    open: BTreeSet<u64>,
    held: BTreeMap<Hash, Height>,
    rejected: Vec<Hash>,
}

impl World {
    /// We are at genesis, the true chain has `length` blocks and a certified one above.
    pub(crate) fn new(config: SyncConfig, length: Height) -> Self {
        Self::of(config, History::new(length + 1, |_| FIRST))
    }

    /// A world in which block `change` changes the validators.
    pub(crate) fn with_set_change(config: SyncConfig, length: Height, change: Height) -> Self {
        let voters = |height| if height < change + 2 { FIRST } else { SECOND };
        Self { set_change: Some(change), ..Self::of(config, History::new(length + 1, voters)) }
    }

    pub(crate) fn of(config: SyncConfig, truth: History) -> Self {
        Self {
            now: 1_000,
            syncer: Syncer::new(config, truth.head(0)),
            held: BTreeMap::from([(truth.hash(0), 0)]),
            truth: Rc::new(truth),
            servers: BTreeMap::new(),
            settled: 0,
            penalties: Vec::new(),
            requests: Vec::new(),
            open_max: 0,
            ahead_max: 0,
            settles: true,
            invalid: None,
            set_change: None,
            strays: BTreeSet::new(),
            sets: vec![FIRST.set()],
            answers: BTreeMap::new(),
            open: BTreeSet::new(),
            rejected: Vec::new(),
        }
    }

    /// A peer that has the true chain settled up to `settled`.
    pub(crate) fn honest(&mut self, peer: u64, settled: Height, after: Millis) {
        self.liar(peer, settled, Conduct::Honest { after });
    }

    /// A peer that has the true chain, claims that head and behaves otherwise.
    pub(crate) fn liar(&mut self, peer: u64, settled: Height, conduct: Conduct) {
        self.serve(peer, self.truth.clone(), settled, conduct);
    }

    /// A peer with a history of its own, of which it claims the head.
    pub(crate) fn serve(&mut self, peer: u64, history: Rc<History>, settled: Height, conduct: Conduct) {
        let head = history.head(settled);
        self.servers.insert(Peer(peer), Server { history, settled, conduct });
        self.claim(peer, head);
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
        while let Some(hash) = self.rejected.pop() {
            self.input(SyncInput::Rejected { hash, reason: "state root".into() });
        }
    }

    /// Lets time pass until `done`; returns how long it took. Panics after `limit`.
    pub(crate) fn run_until(&mut self, limit: Millis, done: impl Fn(&Self) -> bool) -> Millis {
        let start = self.now;
        while !done(self) {
            assert!(self.now - start < limit, "not done after {limit} ms: at {}, {:?}", self.settled, self.status());
            self.now += TICK;
            while let Some(entry) = self.answers.first_entry().filter(|entry| entry.key().0 <= self.now) {
                let ((_, id), input) = entry.remove_entry();
                self.open.remove(&id);
                self.input(input);
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
        let head = self.truth.head(height);
        self.held.insert(head.hash, height);
        self.settled = height;
        self.input(SyncInput::Settled(head));
    }

    pub(crate) fn fined(&self, peer: u64) -> Vec<Fault> {
        self.penalties.iter().filter(|(fined, ..)| fined.0 == peer).map(|(_, fault, _)| *fault).collect()
    }

    /// First and last height of the questions for headers.
    pub(crate) fn headers_asked(&self) -> impl Iterator<Item = (Height, Height)> {
        self.requests.iter().filter_map(|(_, ask)| match ask {
            Ask::Headers { from, max } => Some((*from, from + max - 1)),
            Ask::Bodies(_) => None,
        })
    }

    /// Hashes of all blocks that were asked for.
    pub(crate) fn bodies_asked(&self) -> impl Iterator<Item = &Hash> {
        self.requests.iter().flat_map(|(_, ask)| match ask {
            Ask::Headers { .. } => &[],
            Ask::Bodies(hashes) => hashes.as_slice(),
        })
    }

    fn perform(&mut self, effects: Vec<SyncEffect>) {
        let before = self.settled;
        for effect in effects {
            match effect {
                SyncEffect::Request { peer, id, ask } => self.asked(peer, id, ask),
                SyncEffect::Verify { ticket, after, certs } => {
                    let verdict = verify(&certs, &self.sets, |votes| votes.iter().all(is_signed));
                    let complete = self.held.contains_key(&after);
                    self.answers.insert((self.now, ticket), SyncInput::Verified { ticket, verdict, complete });
                }
                SyncEffect::Deliver { hash, block, .. } => self.delivered(hash, &block),
                SyncEffect::Certificate { cert, .. } => self.certified(&cert),
                SyncEffect::Penalize { peer, fault, reason } => self.penalties.push((peer, fault, reason)),
                SyncEffect::Reward(_) => {}
            }
        }
        if self.settled > before {
            let head = self.truth.head(self.settled);
            self.input(SyncInput::Settled(head));
        }
    }

    fn asked(&mut self, peer: Peer, id: u64, ask: Ask) {
        let count = match &ask {
            Ask::Headers { max, .. } => *max as usize,
            Ask::Bodies(hashes) => hashes.len(),
        };
        assert!((1..=64).contains(&count), "{count} asked for");
        self.open.insert(id);
        self.open_max = self.open_max.max(self.open.len());
        let reply = self.servers[&peer].reply(&ask);
        let is_headers = matches!(ask, Ask::Headers { .. });
        self.requests.push((peer, ask));
        let Some((after, reply)) = reply else { return };
        let answer = reply.and_then(|raw| match raw.headers {
            Some(headers) => Answer::headers(CHAIN, &headers, raw.tip.as_ref()),
            None if is_headers => Answer::headers(CHAIN, &[], None),
            None => Answer::bodies(&raw.bodies, &ScalarHasher),
        });
        self.answers.insert((self.now + after, id), SyncInput::Answer { id, answer });
    }

    /// Consensus: a block settles the parent of the block that its header certifies, if that one certified its parent.
    fn delivered(&mut self, hash: Hash, block: &Block) {
        let height = block.header.height;
        assert!(self.held.contains_key(&block.header.parent), "block {height} came before its parent");
        self.ahead_max = self.ahead_max.max(height.saturating_sub(self.settled));
        self.held.insert(hash, height);
        if self.truth.hash(height) != hash {
            self.strays.insert(hash);
            return;
        }
        if self.invalid == Some(height) {
            self.rejected.push(hash);
        }
        if self.set_change == Some(height) {
            self.sets.push(SECOND.set());
        }
        let blocked = self.invalid.is_some_and(|invalid| height >= invalid);
        if self.settles && !blocked {
            self.settled_by(&block.header.hcc);
        }
    }

    fn certified(&mut self, cert: &Hcc) {
        assert!(self.held.contains_key(&cert.block_hash), "a certificate before its block");
        if self.settles && self.invalid.is_none() {
            self.settled_by(cert);
        }
    }

    fn settled_by(&mut self, cert: &Hcc) {
        let Some(height) = self.held.get(&cert.block_hash).copied().filter(|height| *height > 0) else { return };
        let block = &self.truth.blocks[height as usize];
        if self.truth.hash(height) == cert.block_hash && block.header.links_directly() {
            self.settled = self.settled.max(height - 1);
        }
    }
}

impl Server {
    /// After how long it answers what.
    fn reply(&self, ask: &Ask) -> Option<(Millis, Result<Raw, AnswerError>)> {
        let honest = self.answer(ask);
        match &self.conduct {
            Conduct::Honest { after } => Some((*after, Ok(honest))),
            Conduct::Silent => None,
            Conduct::Failing => Some((0, Err(AnswerError::Failed("stream failed".into())))),
            Conduct::Stingy { items } => {
                let mut raw = honest;
                raw.bodies.truncate(*items);
                if let Some(headers) = raw.headers.as_mut().filter(|headers| headers.len() > *items) {
                    headers.truncate(*items);
                    raw.tip = None;
                }
                Some((10, Ok(raw)))
            }
            Conduct::Timed(lie) => {
                let (after, raw) = lie(ask, honest);
                Some((after, Ok(raw)))
            }
            Conduct::Lies(lie) => lie(ask, honest).map(|raw| (10, Ok(raw))),
        }
    }

    fn answer(&self, ask: &Ask) -> Raw {
        let (history, settled) = (&self.history, self.settled);
        match ask {
            Ask::Headers { from, max } => {
                let header = |height: Height| Ok::<_, AnswerError>(history.headers([height]).pop());
                let child = settled + 1;
                let tip = || Ok(history.headers([child]).pop().map(|header| (header, history.cert(child))));
                let (headers, tip) = serve_headers(*from, *max, settled, header, tip).unwrap();
                Raw { headers: Some(headers), tip, bodies: vec![] }
            }
            Ask::Bodies(hashes) => {
                let at = |hash: &Hash| history.certs.iter().position(|cert| cert.block_hash == *hash);
                let block = |hash: &Hash| Ok::<_, AnswerError>(at(hash).map(|height| history.block(height as Height)));
                Raw { bodies: serve_bodies(hashes, block).unwrap(), ..Raw::default() }
            }
        }
    }
}
