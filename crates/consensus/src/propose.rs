//! When and on what we propose (§1.10 L1-L4, parent choice; §1.5).

use crate::limits::CLOCK_MAX;
use crate::machine::Machine;
use crate::{BuildRequest, Effect, Executed, JournalRecord, Message, Millis, Proposal, SetKey};
use std::sync::Arc;
use vigil_primitives::{Block, Epoch, Hash, Height, Signature};

/// Our turn in the current epoch, if it is ours.
#[derive(Clone, Default)]
pub(crate) struct Turn {
    /// When to look again.
    pub(crate) deadline: Option<Millis>,
    /// What was asked of the shell; at most once an epoch.
    request: Option<BuildRequest>,
    /// When the wait of L3 ended, but for fetching.
    waited: Option<Millis>,
}

/// A place for a proposal.
struct Place {
    parent: Hash,
    hcc: Hash,
    set: SetKey,
    pend: Option<Hash>,
}

impl Machine {
    /// Asks for a block if it is our turn and time.
    pub(crate) fn propose_if_due(&mut self) {
        self.turn.deadline = None;
        let proposed = self.own.proposed() >= self.clock.epoch;
        if self.halted || self.config.me.is_none() || proposed || self.turn.request.is_some() {
            return;
        }
        match self.certified_before() {
            Some(hcc) => self.propose_at_once(hcc),
            None => self.propose_after_wait(),
        }
    }

    /// The highest certificate of a block of the epoch before, if the block is held.
    fn certified_before(&self) -> Option<Hash> {
        let before = self.certs.iter().filter(|(hash, cert)| {
            cert.epoch + 1 == self.clock.epoch && self.tree.valid(hash).is_some_and(|meta| meta.set == cert.set)
        });
        before.max_by_key(|(hash, cert)| (cert.rank(), **hash)).map(|(hash, _)| *hash)
    }

    /// L2: at once, but not before I after the earlier of the parent's arrival and our entry.
    fn propose_at_once(&mut self, hcc: Hash) {
        let Some(place) = self.our_place(self.longest_parent(hcc), hcc) else { return };
        let since = self.tree.arrived(&place.parent).unwrap_or(self.clock.entered).min(self.clock.entered);
        let at = since + self.config.interval;
        if self.now.mono >= at {
            self.request_build(place, true);
        } else {
            self.turn.deadline = Some(at);
        }
    }

    /// L3: after the epoch changes of all, or 2Δ, and up to 2Δ more while a lock's block is being fetched.
    fn propose_after_wait(&mut self) {
        if self.sets.proposer(&self.active, self.clock.epoch) != self.config.me {
            return;
        }
        let wait = self.backed_off(2 * self.config.delta);
        let first = self.clock.entered + wait;
        let now = self.now.mono;
        if self.turn.waited.is_none() && (now >= first || self.all_told()) {
            self.turn.waited = Some(now);
        }
        match self.turn.waited {
            None => self.turn.deadline = Some(first),
            Some(waited) if self.lacks_a_lock() && now < waited + wait => self.turn.deadline = Some(waited + wait),
            Some(_) => {
                if let Some(place) = self.place_after_wait() {
                    self.request_build(place, false);
                }
            }
        }
    }

    /// True if every other member sent an epoch change for this epoch or a later one.
    fn all_told(&self) -> bool {
        self.validators().members().iter().all(|member| {
            let told = self.changes.get(&member.address).map_or(0, |change| change.target_epoch);
            Some(member.address) == self.config.me || told >= self.clock.epoch
        })
    }

    /// True if a certificate ranks above the highest whose block is executed, and the block is on its way.
    fn lacks_a_lock(&self) -> bool {
        let high = self.tree.meta(&self.high).map(|meta| (meta.set.index, meta.height));
        self.certs.iter().any(|(hash, cert)| {
            let coming = self.fetches.contains(hash) || self.parking.contains(hash) || self.tree.node(hash).is_some();
            Some(cert.rank()) > high && coming && self.tree.valid(hash).is_none()
        })
    }

    fn place_after_wait(&self) -> Option<Place> {
        let hcc = self.tree.meta(&self.high).filter(|meta| self.certs.contains_key(&meta.hash))?;
        if self.config.rules.longest_fork {
            return self.our_place(self.longest_parent(hcc.hash), hcc.hash);
        }
        let top = self.highest_last_vote();
        let climbs = hcc.height < top;
        let candidates = self.tree.nodes().filter(|node| {
            climbs && node.valid && node.meta.epoch < self.clock.epoch && self.tree.descends(&node.meta.hash, hcc)
        });
        let places = candidates.filter_map(|node| {
            let place = self.our_place(node.meta.hash, hcc.hash)?;
            Some(((node.meta.height, std::cmp::Reverse(node.meta.hash)), place))
        });
        let climbed = places.max_by_key(|(order, _)| *order).map(|(_, place)| place);
        climbed.or_else(|| self.our_place(hcc.hash, hcc.hash))
    }

    /// M of §1.10: our own last vote, and those reported for this epoch whose block we hold.
    fn highest_last_vote(&self) -> Height {
        let told = self.changes.values().filter(|change| change.target_epoch >= self.clock.epoch);
        let held = told.filter_map(|change| self.tree.valid(&change.last_vote_hash)).map(|meta| meta.height);
        held.fold(self.own.voted().height, Height::max)
    }

    /// S1's heuristic, for the simulator only; by the rules the parent is the HCC's block.
    fn longest_parent(&self, hcc: Hash) -> Hash {
        if !self.config.rules.longest_fork {
            return hcc;
        }
        let tips = self.tree.nodes().filter(|node| node.valid && node.meta.epoch < self.clock.epoch);
        tips.max_by_key(|node| (node.meta.height, std::cmp::Reverse(node.meta.hash))).map_or(hcc, |node| node.meta.hash)
    }

    /// The place, if a block there is valid and the turn is ours.
    fn our_place(&self, parent: Hash, hcc: Hash) -> Option<Place> {
        let hcc = self.hcc_for(&parent, hcc)?;
        let (parent, hcc) = (self.tree.valid(&parent)?, self.tree.valid(&hcc)?);
        let (set, pend) = self.allowed_child(parent, hcc)?;
        let ours = self.sets.peek_proposer(&set, self.clock.epoch) == self.config.me && parent.epoch < self.clock.epoch;
        ours.then_some(Place { parent: parent.hash, hcc: hcc.hash, set, pend })
    }

    /// The HCC itself; with [`crate::Rules::longest_fork`] the highest certified ancestor of the parent.
    fn hcc_for(&self, parent: &Hash, hcc: Hash) -> Option<Hash> {
        if !self.config.rules.longest_fork {
            return Some(hcc);
        }
        let mut hash = *parent;
        while !self.certs.contains_key(&hash) {
            hash = self.tree.meta(&hash)?.parent;
        }
        Some(hash)
    }

    fn request_build(&mut self, place: Place, direct: bool) {
        let (Some(parent), Some(cert), Some(me)) =
            (self.tree.valid(&place.parent), self.certs.get(&place.hcc), self.config.me)
        else {
            return;
        };
        debug_assert!(self.sets.get(&place.set).is_some_and(|set| set.contains(&me)));
        let request = BuildRequest {
            epoch: self.clock.epoch,
            height: parent.height + 1,
            parent: parent.hash,
            hcc: cert.hcc.clone(),
            proposer: me,
            allow_set_change: direct && place.pend.is_none(),
            min_timestamp: parent.timestamp,
        };
        self.turn.request = Some(request.clone());
        self.out.push(Effect::Build(Box::new(request)));
    }

    /// The shell has built what was asked for: journal, sign, send, and treat it like any executed block.
    pub(crate) fn on_built(&mut self, epoch: Epoch, block: Block, executed: Executed) {
        let Some(request) = self.turn.request.as_ref().filter(|request| request.epoch == epoch) else { return };
        let proposed = self.own.proposed() >= epoch;
        if proposed || self.halted || epoch != self.clock.epoch || epoch >= CLOCK_MAX || !fits(&block, request) {
            return;
        }
        let (parent, hcc) = (request.parent, request.hcc.block_hash);
        if self.tree.valid(&parent).is_none_or(|meta| meta.height < self.tree.head().height) {
            return;
        }
        let block = self.sign_block(block);
        let hash = block.hash();
        self.journal(JournalRecord::Proposal { epoch, hash });
        self.out.push(Effect::StoreOwn(block.clone()));
        if !self.place_own(block.clone(), executed) {
            return;
        }
        for uncertified in self.between(&hcc, &parent) {
            self.broadcast(Message::Block(uncertified));
        }
        let before = self.tree.meta(&hcc).is_some_and(|meta| meta.epoch + 1 == epoch);
        let epoch_cert = self.clock.cert.clone().filter(|_| !before);
        self.broadcast(Message::Proposal(Proposal { block, epoch_cert }));
    }

    fn sign_block(&self, mut block: Block) -> Arc<Block> {
        block.header.chain_id = self.config.domain.chain_id.clone();
        block.header.signature = Signature::none();
        block.header.signature = self.signer.sign(&block.header.sign_digest());
        Arc::new(block)
    }

    /// Blocks above the HCC up to the parent, ascending.
    fn between(&self, hcc: &Hash, parent: &Hash) -> Vec<Arc<Block>> {
        let mut blocks = Vec::new();
        let mut hash = *parent;
        while hash != *hcc
            && let Some(node) = self.tree.node(&hash)
        {
            blocks.push(node.block.clone());
            hash = node.meta.parent;
        }
        blocks.reverse();
        blocks
    }
}

/// The shell did as it was told.
fn fits(block: &Block, request: &BuildRequest) -> bool {
    let header = &block.header;
    let fits = header.epoch == request.epoch
        && header.height == request.height
        && header.parent == request.parent
        && header.hcc == *request.hcc
        && header.proposer == request.proposer
        && header.timestamp >= request.min_timestamp;
    debug_assert!(fits, "a built block is not the one asked for");
    fits
}
