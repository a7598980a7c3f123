//! A network of machines in one process: FIFO links of a fixed delay, virtual time, instant execution.

use crate::*;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use vigil_primitives::*;

pub(super) const DELTA: Millis = 250;
pub(super) const INTERVAL: Millis = 500;
pub(super) const DELAY: Millis = 10;
pub(super) const UNIX_START: u64 = 1_700_000_000;

/// A keyed hash instead of a signature: anybody can forge it, and tests do.
pub(super) struct HashKeys(pub(super) Address);

pub(super) fn sign_as(signer: &Address, digest: &Hash) -> Signature {
    let tag = keccak256([signer.as_slice(), digest.as_slice()].concat());
    let mut bytes = [0u8; 65];
    bytes[..32].copy_from_slice(tag.as_slice());
    Signature::from(bytes)
}

impl Keys for HashKeys {
    fn sign(&self, digest: &Hash) -> Signature {
        sign_as(&self.0, digest)
    }

    fn verify(&self, signer: &Address, digest: &Hash, signature: &Signature) -> bool {
        *signature == sign_as(signer, digest)
    }
}

pub(super) fn address(i: usize) -> Address {
    Address::with_last_byte(i as u8 + 1)
}

pub(super) fn equal_set(members: std::ops::Range<usize>) -> ValidatorSet {
    ValidatorSet::new(members.map(|i| (address(i), 100))).expect("a valid set")
}

pub(super) fn genesis() -> BlockHeader {
    BlockHeader { chain_id: "testnet".into(), timestamp: UNIX_START, ..BlockHeader::default() }
}

pub(super) fn domain() -> SignDomain {
    SignDomain { chain_id: "testnet".into(), genesis_hash: genesis().hash() }
}

pub(super) fn config(me: Option<usize>, rules: Rules) -> Config {
    Config {
        domain: domain(),
        me: me.map(address),
        delta: DELTA,
        interval: INTERVAL,
        execution_budget: 0,
        block_txs_max: 100,
        block_bytes_max: 100_000,
        rules,
    }
}

/// Blocks carry the set they make, if any, as their only transaction.
pub(super) fn executed(block: &Block) -> Executed {
    let set_after = block.txs.first().map(|tx| rlp::decode_exact("set", tx, 4096).expect("a set"));
    Executed { set_after }
}

/// What a node keeps when it stops.
#[derive(Clone, Default)]
pub(super) struct Disk {
    pub(super) journal: Vec<JournalRecord>,
    pub(super) restart: Option<RestartPoint>,
    pub(super) blocks: Vec<(Arc<Block>, Executed)>,
    pub(super) certs: Vec<Hcc>,
}

impl Disk {
    pub(super) fn recovered(&self, set: &ValidatorSet) -> Recovered {
        let restart = self.restart.clone().unwrap_or_else(|| RestartPoint::genesis(&genesis(), set.clone()));
        let stored: Vec<JournalRecord> =
            self.journal.iter().map(|r| JournalRecord::from_bytes(&r.to_bytes()).expect("round trip")).collect();
        Recovered {
            journal: JournalState::replay(stored),
            restart: RestartPoint::from_bytes(&restart.to_bytes()).expect("round trip"),
            pending: self.blocks.clone(),
            certs: self.certs.clone(),
        }
    }
}

pub(super) struct Node {
    pub(super) machine: Option<Machine>,
    pub(super) disk: Disk,
    pub(super) settled: Vec<Hash>,
    pub(super) evidence: Vec<Evidence>,
    pub(super) penalties: Vec<Penalty>,
    pub(super) votes: Vec<Vote>,
    timers: BTreeMap<TimerId, Millis>,
}

enum Event {
    Message { from: usize, to: usize, bytes: Vec<u8> },
    Timer { node: usize, id: TimerId, at: Millis },
}

pub(super) struct Net {
    pub(super) now: Millis,
    pub(super) nodes: Vec<Node>,
    /// Every block a set of its own: from the proposer's epoch to what it would make of the validators.
    pub(super) set_changes: BTreeMap<Height, ValidatorSet>,
    /// Directed links that are cut.
    pub(super) cut: BTreeSet<(usize, usize)>,
    /// Nodes that neither send proposals nor votes nor anything else.
    pub(super) silent: BTreeSet<usize>,
    set: ValidatorSet,
    rules: Rules,
    validators: usize,
    queue: BTreeMap<(Millis, u64), Event>,
    sequence: u64,
}

impl Net {
    pub(super) fn new(set: ValidatorSet, nodes: usize, rules: Rules) -> Self {
        let node = || Node {
            machine: None,
            disk: Disk::default(),
            settled: Vec::new(),
            evidence: Vec::new(),
            penalties: Vec::new(),
            votes: Vec::new(),
            timers: BTreeMap::new(),
        };
        let mut net = Self {
            now: 0,
            nodes: (0..nodes).map(|_| node()).collect(),
            set_changes: BTreeMap::new(),
            cut: BTreeSet::new(),
            silent: BTreeSet::new(),
            validators: nodes,
            set,
            rules,
            queue: BTreeMap::new(),
            sequence: 0,
        };
        (0..nodes).for_each(|i| net.start(i));
        net
    }

    pub(super) fn equal(validators: usize) -> Self {
        Self::new(equal_set(0..validators), validators, Rules::default())
    }

    /// Nodes from this index on hold no key.
    pub(super) fn with_followers(set: ValidatorSet, validators: usize, followers: usize) -> Self {
        let mut net = Self::new(set, validators + followers, Rules::default());
        net.validators = validators;
        net.queue.clear();
        net.nodes.iter_mut().for_each(|node| node.disk = Disk::default());
        (0..validators + followers).for_each(|i| net.start(i));
        net
    }

    pub(super) fn stop(&mut self, i: usize) {
        self.nodes[i].machine = None;
        self.nodes[i].timers.clear();
    }

    pub(super) fn start(&mut self, i: usize) {
        let me = (i < self.validators).then_some(i);
        let recovered = self.nodes[i].disk.recovered(&self.set);
        let keys = Box::new(HashKeys(address(i)));
        self.nodes[i].machine = Some(Machine::new(config(me, self.rules), keys, recovered));
        self.input(i, Input::Start);
    }

    fn clock(&self) -> Now {
        Now { mono: self.now, unix: UNIX_START + self.now / 1000 }
    }

    pub(super) fn machine(&self, i: usize) -> &Machine {
        self.nodes[i].machine.as_ref().expect("the node runs")
    }

    pub(super) fn input(&mut self, i: usize, input: Input) {
        let now = self.clock();
        let mut inputs = std::collections::VecDeque::from([input]);
        while let Some(input) = inputs.pop_front() {
            let Some(machine) = self.nodes[i].machine.as_mut() else { return };
            let mut effects = Vec::new();
            machine.step(now, input, &mut effects);
            for effect in effects {
                inputs.extend(self.perform(i, effect));
            }
        }
    }

    fn perform(&mut self, i: usize, effect: Effect) -> Option<Input> {
        let node = &mut self.nodes[i];
        match effect {
            Effect::Journal(record) => {
                if let JournalRecord::Vote { vote, .. } = &record {
                    node.votes.push(vote.clone());
                }
                node.disk.journal.push(record);
            }
            Effect::Send { to, message } => self.send(i, to.0 as usize, &message),
            Effect::Broadcast(message) => {
                for to in (0..self.nodes.len()).filter(|to| *to != i) {
                    self.send(i, to, &message);
                }
            }
            Effect::SetTimer { id, at } => {
                node.timers.insert(id, at);
                let at = at.max(self.now);
                self.push(at, Event::Timer { node: i, id, at });
                self.nodes[i].timers.insert(id, at);
            }
            Effect::Execute(block) => {
                let executed = executed(&block);
                node.disk.blocks.push((block.clone(), executed.clone()));
                return Some(Input::Executed { block: block.hash(), outcome: Ok(executed) });
            }
            Effect::Build(request) => return Some(self.build(*request)),
            Effect::StoreOwn(block) => {
                let executed = executed(&block);
                node.disk.blocks.push((block, executed));
            }
            Effect::Settled(settled) => {
                node.settled.extend(settled.blocks.iter().map(|block| block.hash));
                node.disk.restart = Some(settled.restart);
            }
            Effect::StoreCert(hcc) => node.disk.certs.push(hcc.as_ref().clone()),
            Effect::Lookup { to, lookup } => self.look_up(i, to, lookup),
            Effect::Evidence(evidence) => node.evidence.push(*evidence),
            Effect::Penalize { reason, .. } => node.penalties.push(reason),
            Effect::Discarded(_) => {}
            Effect::Halted(reason) => panic!("node {i} halted: {reason:?}"),
        }
        None
    }

    fn look_up(&mut self, i: usize, to: Peer, lookup: Lookup) {
        let disk = &self.nodes[i].disk;
        let message = match lookup {
            Lookup::Block(hash) => disk
                .blocks
                .iter()
                .find(|(block, _)| block.hash() == hash)
                .map(|(block, _)| Message::Block(block.clone())),
            Lookup::Cert(hash) => disk
                .certs
                .iter()
                .find(|hcc| hcc.block_hash == hash)
                .map(|hcc| Message::Certificate(Arc::new(hcc.clone()))),
        };
        if let Some(message) = message {
            self.send(i, to.0 as usize, &message);
        }
    }

    fn build(&mut self, request: BuildRequest) -> Input {
        let mut txs = Vec::new();
        if request.allow_set_change
            && let Some(set) = self.set_changes.get(&request.height)
        {
            txs.push(Bytes::from(rlp::encode(set)));
        }
        let header = BlockHeader {
            chain_id: "testnet".into(),
            epoch: request.epoch,
            height: request.height,
            parent: request.parent,
            hcc: request.hcc.as_ref().clone(),
            timestamp: request.min_timestamp.max(self.clock().unix),
            proposer: request.proposer,
            ..BlockHeader::default()
        };
        let block = Box::new(Block { header, txs });
        let executed = executed(&block);
        Input::Built { epoch: request.epoch, block, executed }
    }

    fn push(&mut self, at: Millis, event: Event) {
        self.sequence += 1;
        self.queue.insert((at, self.sequence), event);
    }

    fn send(&mut self, from: usize, to: usize, message: &Message) {
        if self.cut.contains(&(from, to)) || self.silent.contains(&from) {
            return;
        }
        let bytes = message.encode();
        self.push(self.now + DELAY, Event::Message { from, to, bytes });
    }

    pub(super) fn run_until(&mut self, end: Millis) {
        while let Some(entry) = self.queue.first_entry() {
            if entry.key().0 > end {
                break;
            }
            self.now = entry.key().0;
            match entry.remove() {
                Event::Message { from, to, bytes } => {
                    let message = Message::decode(&bytes).expect("honest messages decode");
                    self.input(to, Input::Received { from: Peer(from as u64), message });
                }
                Event::Timer { node, id, at } => {
                    if self.nodes[node].timers.get(&id) == Some(&at) {
                        self.nodes[node].timers.remove(&id);
                        self.input(node, Input::Timer(id));
                    }
                }
            }
        }
        self.now = end;
        self.check();
    }

    /// I1, I5, I13: one chain, honest votes, no evidence.
    pub(super) fn check(&self) {
        let longest = self.nodes.iter().max_by_key(|node| node.settled.len()).expect("nodes");
        for (i, node) in self.nodes.iter().enumerate() {
            assert!(longest.settled.starts_with(&node.settled), "node {i} settled another chain");
            assert_eq!(node.evidence, [], "node {i} accuses an honest node");
            assert_eq!(node.penalties, [], "node {i} blames an honest node");
            for pair in node.votes.windows(2) {
                assert!(pair[0].height < pair[1].height, "node {i}: heights increase");
                assert!(pair[0].block_epoch < pair[1].block_epoch, "node {i}: epochs increase");
                assert!(pair[0].source_height <= pair[1].source_height, "node {i}: sources never fall");
            }
        }
    }

    pub(super) fn settled_height(&self, i: usize) -> Height {
        self.nodes[i].settled.len() as Height
    }

    pub(super) fn lowest_settled(&self) -> Height {
        (0..self.nodes.len()).filter(|i| !self.silent.contains(i)).map(|i| self.settled_height(i)).min().unwrap_or(0)
    }
}
