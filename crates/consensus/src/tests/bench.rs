//! One machine, driven by hand, in a committee whose other members the test plays.

use super::net::*;
use crate::*;
use std::collections::BTreeMap;
use std::sync::Arc;
use vigil_primitives::*;

/// The machine under test and all blocks the test made.
pub(super) struct Bench {
    pub(super) machine: Machine,
    pub(super) now: Now,
    pub(super) blocks: BTreeMap<Hash, Block>,
    pub(super) members: usize,
    /// Executions are answered at once.
    pub(super) execute: bool,
}

pub(super) const PEER: Peer = Peer(77);
pub(super) const NONE: [Hash; 0] = [];

impl Bench {
    /// Member `me` of `members` equal ones, in epoch 1.
    pub(super) fn new(members: usize, me: usize) -> Self {
        Self::with(members, Some(me), Rules::default(), Disk::default())
    }

    pub(super) fn with(members: usize, me: Option<usize>, rules: Rules, disk: Disk) -> Self {
        let set = equal_set(0..members);
        let keys = Box::new(HashKeys(me.map_or(Address::ZERO, address)));
        let mut machine = Machine::new(config(me, rules), keys, disk.recovered(&set));
        machine.on_unknown_own(UnknownOwn::Ignore); // the test plays us, too
        let now = Now { mono: 1_000_000, unix: UNIX_START + 1_000 };
        let mut bench = Self { machine, now, blocks: BTreeMap::new(), members, execute: true };
        bench.input(Input::Start);
        bench
    }

    pub(super) fn input(&mut self, input: Input) -> Vec<Effect> {
        let mut effects = Vec::new();
        self.machine.step(self.now, input, &mut effects);
        let mut all = Vec::new();
        for effect in effects {
            let block = match &effect {
                Effect::Execute(block) if self.execute => Some(block.clone()),
                _ => None,
            };
            all.push(effect);
            if let Some(block) = block {
                all.extend(self.input(Input::Executed { block: block.hash(), outcome: Ok(executed(&block)) }));
            }
        }
        all
    }

    pub(super) fn give(&mut self, message: Message) -> Vec<Effect> {
        let bytes = message.encode();
        let message = Message::decode(&bytes).expect("round trip");
        self.input(Input::Received { from: PEER, message })
    }

    pub(super) fn wait(&mut self, time: Millis, id: TimerId) -> Vec<Effect> {
        self.now.mono += time;
        self.input(Input::Timer(id))
    }

    /// A block of the member whose turn it is.
    pub(super) fn block(&mut self, epoch: Epoch, parent: Hash, hcc: Hash) -> Hash {
        self.block_by(epoch as usize % self.members, epoch, parent, hcc, 0)
    }

    pub(super) fn block_by(&mut self, proposer: usize, epoch: Epoch, parent: Hash, hcc: Hash, salt: u8) -> Hash {
        let hcc = self.cc(hcc);
        self.custom(proposer, |header| {
            header.epoch = epoch;
            header.parent = parent;
            header.hcc = hcc;
            header.state_root = Hash::with_last_byte(salt);
        })
    }

    /// A signed block; `height` follows the parent unless `change` sets it.
    pub(super) fn custom(&mut self, proposer: usize, change: impl FnOnce(&mut BlockHeader)) -> Hash {
        self.custom_with(proposer, Vec::new(), change)
    }

    pub(super) fn custom_with(
        &mut self,
        proposer: usize,
        txs: Vec<Bytes>,
        change: impl FnOnce(&mut BlockHeader),
    ) -> Hash {
        let mut header = BlockHeader {
            chain_id: "testnet".into(),
            timestamp: UNIX_START + 900,
            proposer: address(proposer),
            ..BlockHeader::default()
        };
        change(&mut header);
        if header.height == 0 {
            header.height = self.height(&header.parent) + 1;
        }
        header.signature = sign_as(&header.proposer, &header.sign_digest());
        let block = Block { header, txs };
        let hash = block.hash();
        self.blocks.insert(hash, block);
        hash
    }

    pub(super) fn genesis(&self) -> Hash {
        genesis().hash()
    }

    pub(super) fn height(&self, hash: &Hash) -> Height {
        self.blocks.get(hash).map_or(0, |block| block.header.height)
    }

    pub(super) fn vote(&self, voter: usize, block: &Hash) -> Vote {
        let header = &self.blocks[block].header;
        let source_hash = header.hcc.block_hash;
        let mut vote = Vote {
            height: header.height,
            block_hash: *block,
            block_epoch: header.epoch,
            source_set: self.machine.meta(&source_hash).map_or(0, |meta| meta.set.index),
            source_height: self.height(&source_hash),
            source_hash,
            voter: address(voter),
            signature: Signature::none(),
        };
        vote.signature = sign_as(&vote.voter, &vote.digest(&domain()));
        vote
    }

    pub(super) fn cc_by(&self, voters: &[usize], block: &Hash) -> Hcc {
        let mut votes: Vec<Vote> = voters.iter().map(|voter| self.vote(*voter, block)).collect();
        votes.sort_by_key(|vote| vote.voter);
        Hcc { votes, block_hash: *block }
    }

    /// A certificate by the smallest quorum of the lowest members.
    pub(super) fn cc(&self, block: Hash) -> Hcc {
        if block == self.genesis() {
            return Hcc { votes: Vec::new(), block_hash: block };
        }
        let quorum: Vec<usize> = (0..2 * self.members / 3 + 1).collect();
        self.cc_by(&quorum, &block)
    }

    pub(super) fn change(&self, voter: usize, target: Epoch, lock: Hash, last_vote: Hash) -> EpochChange {
        let cc = self.cc(lock);
        let mut change = EpochChange {
            target_epoch: target,
            lock_height: self.height(&lock),
            lock_hash: lock,
            last_vote_height: self.height(&last_vote),
            last_vote_hash: last_vote,
            voter: address(voter),
            signature: Signature::none(),
            lock_cc: (!cc.votes.is_empty()).then(|| Arc::new(cc)),
        };
        change.signature = sign_as(&change.voter, &change.digest(&domain()));
        change
    }

    pub(super) fn genesis_change(&self, voter: usize, target: Epoch) -> EpochChange {
        self.change(voter, target, self.genesis(), self.genesis())
    }

    pub(super) fn propose(&mut self, block: &Hash) -> Vec<Effect> {
        let block = Arc::new(self.blocks[block].clone());
        self.give(Message::Proposal(Proposal { block, epoch_cert: None }))
    }

    /// As an answer: not bound by the parking limit of epochs.
    pub(super) fn feed(&mut self, block: &Hash) -> Vec<Effect> {
        let block = Arc::new(self.blocks[block].clone());
        self.give(Message::Block(block))
    }

    pub(super) fn certify(&mut self, block: &Hash) -> Vec<Effect> {
        let cc = self.cc(*block);
        self.give(Message::Certificate(Arc::new(cc)))
    }

    /// Enters an epoch by the epoch changes of a quorum of others.
    pub(super) fn enter(&mut self, epoch: Epoch, me: usize) -> Vec<Effect> {
        let genesis = self.genesis();
        self.enter_with(epoch, me, genesis)
    }

    pub(super) fn enter_with(&mut self, epoch: Epoch, me: usize, last_vote: Hash) -> Vec<Effect> {
        let mut effects = Vec::new();
        let others: Vec<usize> = (0..self.members).filter(|i| *i != me).take(2 * self.members / 3 + 1).collect();
        for voter in others {
            let genesis = self.genesis();
            let change = self.change(voter, epoch, genesis, last_vote);
            effects.extend(self.give(Message::EpochChange(change)));
        }
        effects
    }

    pub(super) fn epoch(&self) -> Epoch {
        self.machine.view().epoch
    }
}

pub(super) fn votes(effects: &[Effect]) -> Vec<Hash> {
    let votes = effects.iter().filter_map(|effect| match effect {
        Effect::Broadcast(Message::Vote(vote)) => Some(vote.block_hash),
        _ => None,
    });
    votes.collect()
}

pub(super) fn changes(effects: &[Effect]) -> Vec<Epoch> {
    let changes = effects.iter().filter_map(|effect| match effect {
        Effect::Broadcast(Message::EpochChange(change)) => Some(change.target_epoch),
        _ => None,
    });
    changes.collect()
}

pub(super) fn settled(effects: &[Effect]) -> Vec<Hash> {
    let settled = effects.iter().filter_map(|effect| match effect {
        Effect::Settled(settled) => Some(settled.blocks.iter().map(|block| block.hash)),
        _ => None,
    });
    settled.flatten().collect()
}

pub(super) fn penalties(effects: &[Effect]) -> Vec<Penalty> {
    let penalties = effects.iter().filter_map(|effect| match effect {
        Effect::Penalize { reason, .. } => Some(*reason),
        _ => None,
    });
    penalties.collect()
}

pub(super) fn evidence(effects: &[Effect]) -> Vec<Evidence> {
    let evidence = effects.iter().filter_map(|effect| match effect {
        Effect::Evidence(evidence) => Some(evidence.as_ref().clone()),
        _ => None,
    });
    evidence.collect()
}

pub(super) fn builds(effects: &[Effect]) -> Vec<BuildRequest> {
    let builds = effects.iter().filter_map(|effect| match effect {
        Effect::Build(request) => Some(request.as_ref().clone()),
        _ => None,
    });
    builds.collect()
}

pub(super) fn requests(effects: &[Effect]) -> Vec<(Peer, Hash)> {
    let requests = effects.iter().filter_map(|effect| match effect {
        Effect::Send { to, message: Message::BlockReq(hash) } => Some((*to, *hash)),
        _ => None,
    });
    requests.collect()
}
