//! Statements of our key that our journal does not know (§1.13, the disk rollback of §1.14).
//!
//! The journal is written before anything signed leaves and nothing in it goes back. So a statement of ours that is
//! beyond it proves that the file is an older copy, or that another node signs with our key. Either way we no longer
//! know what we must not contradict: we sign no more, and the journal itself says so from then on
//! (`docs/decisions/0007-journal-rollback.md`).

use crate::certs::Verdict;
use crate::limits::OWN_REMEMBERED_MAX;
use crate::machine::Machine;
use crate::{
    Effect, EpochCert, EpochChange, Floor, HaltReason, JournalRecord, JournalState, Message, RolledBack, UnknownOwn,
};
use std::collections::BTreeMap;
use std::iter::once;
use vigil_primitives::{Address, BlockHeader, Epoch, Hash, Hcc, Height, Vote};

/// What our key signed from the end of the journal that was found at the start.
#[derive(Clone)]
pub(crate) struct Signed {
    votes: BTreeMap<Epoch, Hash>,
    proposals: BTreeMap<Epoch, Hash>,
    /// What is older and not named above was signed before: epochs only go up.
    floor: Epoch,
}

impl Signed {
    pub(crate) fn new(journal: &JournalState) -> Self {
        Self {
            floor: journal.lost.map_or(0, |lost| lost.epoch + 1).max(journal.epoch()),
            votes: journal.last_vote.iter().map(|vote| (vote.block_epoch, vote.block_hash)).collect(),
            proposals: journal.last_proposal.into_iter().collect(),
        }
    }

    pub(crate) fn note(&mut self, record: &JournalRecord) {
        match record {
            JournalRecord::Vote { vote, .. } => remember(&mut self.votes, vote.block_epoch, vote.block_hash),
            JournalRecord::Proposal { epoch, hash } => remember(&mut self.proposals, *epoch, *hash),
            JournalRecord::Fresh(lost) => self.floor = self.floor.max(lost.epoch + 1),
            JournalRecord::EpochChange { .. } | JournalRecord::RolledBack(_) => {}
        }
    }

    /// `is_low`: it binds to nothing above what is known. What cannot be named any more was signed before only then.
    fn knows(&self, signed: &BTreeMap<Epoch, Hash>, epoch: Epoch, hash: &Hash, is_low: bool) -> bool {
        let gave_way =
            || signed.len() == OWN_REMEMBERED_MAX && signed.keys().next().is_some_and(|oldest| epoch < *oldest);
        let before = || is_low && (epoch < self.floor || gave_way());
        signed.get(&epoch).map_or_else(before, |known| known == hash)
    }
}

fn remember(signed: &mut BTreeMap<Epoch, Hash>, epoch: Epoch, hash: Hash) {
    signed.insert(epoch, hash);
    if signed.len() > OWN_REMEMBERED_MAX {
        signed.pop_first();
    }
}

/// Something that somebody signed.
#[derive(Clone, Copy)]
enum Statement<'m> {
    Vote(&'m Vote),
    Change(&'m EpochChange),
    Block(&'m BlockHeader),
}

impl Statement<'_> {
    fn signer(&self) -> Address {
        match self {
            Self::Vote(vote) => vote.voter,
            Self::Change(change) => change.voter,
            Self::Block(header) => header.proposer,
        }
    }

    fn epoch(&self) -> Epoch {
        match self {
            Self::Vote(vote) => vote.block_epoch,
            Self::Change(change) => change.target_epoch,
            Self::Block(header) => header.epoch,
        }
    }
}

fn in_cert(hcc: &Hcc) -> impl Iterator<Item = Statement<'_>> {
    hcc.votes.iter().map(Statement::Vote)
}

fn in_change(change: &EpochChange) -> impl Iterator<Item = Statement<'_>> {
    once(Statement::Change(change)).chain(change.lock_cc.iter().flat_map(|cc| in_cert(cc)))
}

fn in_block(header: &BlockHeader) -> impl Iterator<Item = Statement<'_>> {
    once(Statement::Block(header)).chain(in_cert(&header.hcc))
}

fn in_epoch_cert(cert: &EpochCert) -> Box<dyn Iterator<Item = Statement<'_>> + '_> {
    match cert {
        EpochCert::Commit(hcc) => Box::new(in_cert(hcc)),
        EpochCert::Changes(changes) => Box::new(changes.iter().flat_map(in_change)),
    }
}

fn in_message(message: &Message) -> Box<dyn Iterator<Item = Statement<'_>> + '_> {
    match message {
        Message::Vote(vote) => Box::new(once(Statement::Vote(vote))),
        Message::EpochChange(change) => Box::new(in_change(change)),
        Message::Proposal(proposal) => {
            Box::new(in_block(&proposal.block.header).chain(proposal.epoch_cert.iter().flat_map(in_epoch_cert)))
        }
        Message::EpochCert(cert) => in_epoch_cert(cert),
        Message::Certificate(hcc) => Box::new(in_cert(hcc)),
        Message::Block(block) => Box::new(in_block(&block.header)),
        Message::CertReq(_) | Message::BlockReq(_) => Box::new(std::iter::empty()),
    }
}

impl Machine {
    /// What to do with a statement of our key that our journal does not know. If nothing is said: [`UnknownOwn::Adopt`]
    /// while [`JournalState::is_fresh`] at the start, else [`UnknownOwn::Halt`].
    pub fn on_unknown_own(&mut self, what: UnknownOwn) {
        self.unknown_own = what;
    }

    /// Looks through a message for statements of our key that are news to us.
    pub(crate) fn look_for_own(&mut self, message: &Message) {
        self.look_among(in_message(message));
    }

    fn look_among<'m>(&mut self, statements: impl Iterator<Item = Statement<'m>>) {
        let Some(me) = self.config.me else { return };
        for statement in statements.filter(|statement| statement.signer() == me) {
            if !self.is_known(&statement) && self.is_genuine(&statement) {
                self.take_unknown(&statement);
            }
        }
    }

    /// Of a lost journal a part is known: low epochs alone say little while the rest is adopted.
    fn is_known(&self, statement: &Statement<'_>) -> bool {
        let (voted, adopts) = (self.own.voted(), self.unknown_own == UnknownOwn::Adopt);
        match statement {
            Statement::Vote(vote) => {
                let low_source = !adopts || vote.source_rank() <= voted.source_rank();
                let is_low = vote.height <= voted.height && low_source;
                self.signed.knows(&self.signed.votes, vote.block_epoch, &vote.block_hash, is_low)
            }
            Statement::Change(change) => {
                let low_source = || self.claimed_lock(change) <= voted.source_rank();
                let is_low = !adopts || (change.last_vote_height <= voted.height && low_source());
                is_low && change.target_epoch <= self.own.change_target.max(self.own.epoch())
            }
            Statement::Block(header) => {
                let is_low = !adopts || header.height <= voted.height;
                self.signed.knows(&self.signed.proposals, header.epoch, &header.hash(), is_low)
            }
        }
    }

    /// Signed by us, for this chain. A header names the chain only by the certificate that it carries.
    fn is_genuine(&mut self, statement: &Statement<'_>) -> bool {
        match statement {
            Statement::Vote(vote) => self.signer.verify_vote(&self.config.domain, vote),
            Statement::Change(change) => {
                self.signer.verify(&change.voter, &change.digest(&self.config.domain), &change.signature)
            }
            Statement::Block(header) => {
                header.chain_id == self.config.domain.chain_id && self.is_signed(header) && self.carries_cert(header)
            }
        }
    }

    fn take_unknown(&mut self, statement: &Statement<'_>) {
        match self.unknown_own {
            UnknownOwn::Halt => self.halt_rolled_back(statement.epoch()),
            UnknownOwn::Adopt => self.adopt(statement),
            UnknownOwn::Ignore => {}
        }
    }

    fn halt_rolled_back(&mut self, signed: Epoch) {
        if self.own.rolled_back.is_some() {
            return;
        }
        let found = RolledBack { signed, known: self.own.epoch() };
        self.halted = true;
        self.journal(JournalRecord::RolledBack(found));
        self.out.push(Effect::Halted(HaltReason::RolledBack(found)));
    }

    /// Binds us to a statement as if the journal had held it, if it binds to more than is known. The lock that a vote stood
    /// for is lost.
    fn adopt(&mut self, statement: &Statement<'_>) {
        let record = match statement {
            Statement::Vote(vote) => JournalRecord::Vote { vote: (*vote).clone(), lock: self.lock() },
            Statement::Change(change) => JournalRecord::EpochChange { target: change.target_epoch },
            Statement::Block(header) => JournalRecord::Proposal { epoch: header.epoch, hash: header.hash() },
        };
        let (floor, voted) = (self.floor(statement), self.own.voted());
        if let Statement::Change(change) = statement
            && change.target_epoch <= self.own.change_target
            && voted.raised_to(floor) == voted
        {
            return; // a copy whose certificate claims more than holds
        }
        self.journal(record);
        self.journal(JournalRecord::Fresh(floor));
        self.restore_change();
    }

    /// What may not be signed again after a statement. We vote for what we propose, and an `EpochChange` names the last
    /// vote and its lock, which no source ranks above.
    fn floor(&mut self, statement: &Statement<'_>) -> Floor {
        match statement {
            Statement::Vote(vote) => Floor::from(*vote),
            Statement::Change(change) => {
                let (height, hash) = (change.last_vote_height, change.last_vote_hash);
                let (source_set, source_height) = self.lock_of(change);
                Floor { epoch: change.target_epoch.saturating_sub(1), height, hash, source_set, source_height }
            }
            Statement::Block(header) => {
                let (source_set, source_height) = match self.check_cert(&header.hcc) {
                    Verdict::Valid(cert) => (self.least_set(&header.hcc), cert.height),
                    Verdict::Unknown | Verdict::Bad(_) => (0, 0), // not of a genuine header
                };
                let hash = header.hash();
                Floor { epoch: header.epoch, height: header.height, hash, source_set, source_height }
            }
        }
    }

    /// Least rank of a change's lock. Its certificate is not signed with the change: it may be another's.
    fn lock_of(&mut self, change: &EpochChange) -> (u64, Height) {
        let is_held = self.tree.meta(&change.lock_hash).is_some();
        let holds = |verdict| matches!(verdict, Verdict::Valid(cert) if cert.height == change.lock_height);
        match &change.lock_cc {
            Some(cc) if !is_held && !holds(self.check_cert(cc)) => (0, change.lock_height),
            _ => self.claimed_lock(change),
        }
    }

    /// As [`Self::lock_of`], if the certificate holds.
    fn claimed_lock(&self, change: &EpochChange) -> (u64, Height) {
        let named = Hcc { block_hash: change.lock_hash, votes: Vec::new() };
        let cc = change.lock_cc.as_deref().filter(|cc| cc.block_hash == change.lock_hash);
        (self.least_set(cc.unwrap_or(&named)), change.lock_height)
    }

    /// Index of the set that certified a block, or of its source's if the block is not held: with too high a rank we could
    /// not vote until the set changes.
    fn least_set(&self, hcc: &Hcc) -> u64 {
        let source = || hcc.votes.first().map_or(0, |vote| vote.source_set);
        self.tree.meta(&hcc.block_hash).map_or_else(source, |meta| meta.set.index)
    }

    /// A lost journal may have held votes for all stored blocks: nothing is voted for over a source below theirs. Only the
    /// tree knows the set of an HCC's own block; votes name that of its source, which is one less after a handover.
    fn adopt_sources(&mut self) {
        let Some(lost) = self.own.lost.filter(|_| self.own.is_fresh()) else { return };
        let highest = self.tree.nodes().map(|node| node.meta.hcc_rank()).fold(lost.source_rank(), Ord::max);
        if highest > lost.source_rank() {
            let (source_set, source_height) = highest;
            self.journal(JournalRecord::Fresh(Floor { source_set, source_height, ..lost }));
        }
    }

    /// At start: a journal that was found to be rolled back stays so, and our own certificates may show that it is.
    pub(crate) fn look_at_start(&mut self) {
        self.adopt_sources();
        if let Some(found) = self.own.rolled_back {
            self.out.push(Effect::Halted(HaltReason::RolledBack(found)));
        }
        let held: Vec<_> = self.certs.values().map(|cert| cert.hcc.clone()).collect();
        held.iter().for_each(|hcc| self.look_among(in_cert(hcc)));
    }
}
