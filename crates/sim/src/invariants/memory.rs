//! What a node may sign that forgot: nothing against what it heard of again (the disk rollback of §1.14).

use super::{Verdict, broken};
use crate::lineage::Lineage;
use crate::plan::Plan;
use std::collections::HashSet;
use vigil_consensus::{EpochCert, EpochChange, JournalRecord, Message};
use vigil_primitives::{Address, Block, Epoch, Hash, Hcc, Vote};

/// Something that a journal held.
#[derive(Clone)]
enum Said {
    Vote(Vote),
    Proposal(Epoch, Hash),
    Change(Epoch),
}

/// A node whose journal is rolled back now and then.
#[derive(Clone)]
struct Forgetful {
    node: usize,
    address: Address,
    /// Said, and not in the journal any more.
    lost: Vec<Said>,
    /// Those of them that a message has shown it again.
    heard: Vec<Said>,
    /// Blocks that it ever voted for or proposed.
    spoken: HashSet<Hash>,
    halted: bool,
}

/// The forgetful of a run.
#[derive(Clone)]
pub struct Memory {
    nodes: Vec<Forgetful>,
    noticed: u64,
}

impl Memory {
    pub fn new(plan: &Plan) -> Self {
        let members = plan.committees[0].members().iter().filter(|member| plan.forgets(member.node));
        let forgetful = members.map(|member| Forgetful {
            node: member.node,
            address: member.address,
            lost: Vec::new(),
            heard: Vec::new(),
            spoken: HashSet::new(),
            halted: false,
        });
        Self { nodes: forgetful.collect(), noticed: 0 }
    }

    fn of(&mut self, node: usize) -> Option<&mut Forgetful> {
        self.nodes.iter_mut().find(|forgetful| forgetful.node == node)
    }

    /// A node crashes, and will find its journal without these records. What it heard it forgets too, unless its journal
    /// holds that it halted.
    pub fn forgot(&mut self, node: usize, records: Vec<JournalRecord>) {
        let Some(forgetful) = self.of(node) else { return };
        forgetful.halted &= records.is_empty();
        if !forgetful.halted {
            forgetful.lost.append(&mut forgetful.heard);
        }
        let said = records.into_iter().filter_map(|record| match record {
            JournalRecord::Vote { vote, .. } => Some(Said::Vote(vote)),
            JournalRecord::Proposal { epoch, hash } => Some(Said::Proposal(epoch, hash)),
            JournalRecord::EpochChange { target } => Some(Said::Change(target)),
            JournalRecord::RolledBack(_) | JournalRecord::Fresh(_) => None,
        });
        forgetful.lost.extend(said);
    }

    /// A message reaches a node that is up.
    pub fn heard(&mut self, node: usize, message: &Message) {
        let Some(forgetful) = self.of(node) else { return };
        let me = forgetful.address;
        let again = forgetful.lost.extract_if(.., |said| repeats(message, &me, said));
        forgetful.heard.extend(again);
    }

    /// A node says something.
    ///
    /// # Errors
    /// `rollback`: it is against what it said before, forgot, and heard of again.
    pub fn said(&mut self, node: usize, message: &Message, lineage: &Lineage) -> Verdict {
        let Some(forgetful) = self.of(node) else { return Ok(()) };
        let (said, hash) = match message {
            Message::Vote(vote) if vote.voter == forgetful.address => (Said::Vote(vote.clone()), vote.block_hash),
            Message::Proposal(proposal) if proposal.block.header.proposer == forgetful.address => {
                let hash = proposal.block.hash();
                (Said::Proposal(proposal.block.header.epoch, hash), hash)
            }
            _ => return Ok(()),
        };
        if !forgetful.spoken.insert(hash) {
            return Ok(());
        }
        match forgetful.heard.iter().find(|before| contradicts(&said, before, lineage)) {
            Some(before) => {
                let (what, before) = (text(&said), text(before));
                broken("rollback", || format!("node {node} says {what} after it heard again that it had said {before}"))
            }
            None => Ok(()),
        }
    }

    /// A node finds that its journal was rolled back.
    pub fn halted(&mut self, node: usize) {
        let Some(forgetful) = self.of(node) else { return };
        let news = !std::mem::replace(&mut forgetful.halted, true);
        self.noticed += u64::from(news);
    }

    /// How often that happened.
    pub fn noticed(&self) -> u64 {
        self.noticed
    }
}

fn text(said: &Said) -> String {
    match said {
        Said::Vote(vote) => format!("vote {} h{} e{}", vote.block_hash, vote.height, vote.block_epoch),
        Said::Proposal(epoch, hash) => format!("proposal {hash} e{epoch}"),
        Said::Change(target) => format!("EC({target})"),
    }
}

/// Both are of one validator; `before` came first.
fn contradicts(said: &Said, before: &Said, lineage: &Lineage) -> bool {
    match (said, before) {
        (Said::Vote(now), Said::Vote(before)) => {
            let sinks = lineage.rank(&now.source_hash) < lineage.rank(&before.source_hash);
            let returns = now.block_epoch <= before.block_epoch || now.height <= before.height;
            now.block_hash != before.block_hash && (sinks || returns)
        }
        (Said::Vote(now), Said::Change(target)) => now.block_epoch < *target,
        (Said::Proposal(epoch, hash), Said::Proposal(before, old)) => epoch == before && hash != old,
        _ => false,
    }
}

/// True if the message shows what `me` said.
fn repeats(message: &Message, me: &Address, said: &Said) -> bool {
    match said {
        Said::Vote(lost) => votes(message).contains(&lost),
        Said::Proposal(_, hash) => block(message).is_some_and(|block| block.hash() == *hash),
        Said::Change(target) => changes(message).iter().any(|c| c.voter == *me && c.target_epoch == *target),
    }
}

fn block(message: &Message) -> Option<&Block> {
    match message {
        Message::Proposal(proposal) => Some(&proposal.block),
        Message::Block(block) => Some(block),
        _ => None,
    }
}

fn changes(message: &Message) -> &[EpochChange] {
    match message {
        Message::EpochChange(change) => std::slice::from_ref(change),
        Message::EpochCert(EpochCert::Changes(changes)) => changes,
        Message::Proposal(proposal) => match &proposal.epoch_cert {
            Some(EpochCert::Changes(changes)) => changes,
            _ => &[],
        },
        _ => &[],
    }
}

fn votes(message: &Message) -> Vec<&Vote> {
    let direct: Option<&Hcc> = match message {
        Message::Vote(vote) => return vec![vote],
        Message::Certificate(hcc) | Message::EpochCert(EpochCert::Commit(hcc)) => Some(hcc),
        _ => block(message).map(|block| &block.header.hcc),
    };
    let locks = changes(message).iter().filter_map(|change| change.lock_cc.as_deref());
    direct.into_iter().chain(locks).flat_map(|hcc| &hcc.votes).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::Scenario;

    /// A forgetful node that said EC(9), with the address it has.
    fn forgetful() -> (Memory, usize, EpochChange) {
        let plan = Plan::draw(&Scenario::equal(4, 0).with_rollbacks(1), 1);
        let mut memory = Memory::new(&plan);
        let (node, voter) = (memory.nodes[0].node, memory.nodes[0].address);
        memory.forgot(node, vec![JournalRecord::EpochChange { target: 9 }]);
        let change = EpochChange {
            target_epoch: 9,
            lock_height: 0,
            lock_hash: Hash::ZERO,
            last_vote_height: 0,
            last_vote_hash: Hash::ZERO,
            voter,
            signature: vigil_primitives::Signature::none(),
            lock_cc: None,
        };
        (memory, node, change)
    }

    fn lineage() -> Lineage {
        let toy = crate::ledger::Toy { committees: Plan::draw(&Scenario::equal(4, 0), 1).committees.into() };
        let genesis = crate::world::genesis_block(&toy);
        Lineage::new(toy, genesis)
    }

    fn vote(voter: Address, epoch: Epoch, hash: u8) -> Message {
        let lineage = lineage();
        Message::Vote(Vote {
            height: epoch,
            block_hash: Hash::repeat_byte(hash),
            block_epoch: epoch,
            source_set: 0,
            source_height: 0,
            source_hash: lineage.genesis(),
            voter,
            signature: vigil_primitives::Signature::none(),
        })
    }

    #[test]
    fn only_what_was_heard_again_binds() {
        let (mut memory, node, change) = forgetful();
        let me = change.voter;
        assert_eq!(memory.said(node, &vote(me, 7, 1), &lineage()), Ok(()), "it cannot know");
        memory.heard(node, &Message::EpochCert(EpochCert::Changes(vec![change])));
        assert_eq!(memory.said(node, &vote(me, 7, 1), &lineage()), Ok(()), "said before");
        let broken = memory.said(node, &vote(me, 8, 2), &lineage()).unwrap_err();
        assert_eq!(broken.invariant, "rollback");
        assert_eq!(memory.said(node, &vote(me, 9, 3), &lineage()), Ok(()));
        assert_eq!(memory.said(node, &vote(Address::ZERO, 8, 4), &lineage()), Ok(()), "somebody else's");
    }

    #[test]
    fn a_halt_counts_once_a_rollback() {
        let (mut memory, node, _) = forgetful();
        memory.halted(node);
        memory.forgot(node, Vec::new());
        memory.halted(node);
        assert_eq!(memory.noticed(), 1);
        memory.forgot(node, vec![JournalRecord::EpochChange { target: 8 }]);
        memory.halted(node);
        assert_eq!(memory.noticed(), 2);
    }
}
