//! What must hold over every run with a reset (`spec/consensus.md` §1.14), over the honest.

use super::plan::Plan;
use super::scenario::{AFTER, INTERVAL, Operators, Scenario};
use super::world::{AFTERWARDS, CHAINS};
use crate::invariants::{Verdict, broken};
use crate::keys::address_of;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use vigil_consensus::finality::{Record, SettledCheckpoint, View};
use vigil_consensus::{HaltReason, offences};
use vigil_crypto::signer_vectors;
use vigil_primitives::{
    Address, AggregatedVotes, Checkpoint, Evidence, GuardianSet, Hash, Height, Offences, Reset, ResetCert, ResetVotes,
    StakePurpose, Vote, VoteBody,
};

/// Promises under watch.
pub struct Checks {
    operators: Operators,
    set_hash: Hash,
    weights: Vec<u128>,
    liars: Vec<bool>,
    /// Addresses of honest validators.
    honest: BTreeSet<Address>,
    validators: usize,
    /// Every vote that was ever said on the two sides, and in the segment after.
    said: [HashMap<(Address, VoteBody), Vote>; 2],
    /// Last voted height of each honest validator before and after the reset.
    voted: BTreeMap<(usize, bool), (Height, Hash)>,
    /// Settled head of each validator.
    heads: BTreeMap<usize, (Height, Hash)>,
    /// Settled blocks of each chain.
    chains: [BTreeMap<Height, Hash>; CHAINS],
    /// Votes of each guardian, as journalled, with the chain it saw.
    journals: BTreeMap<usize, Vec<(usize, Record)>>,
    /// Final blocks.
    finals: BTreeMap<Height, Hash>,
    /// Final height of each node, its number of resets.
    heights: BTreeMap<usize, (Height, u64)>,
    base: Option<Reset>,
}

impl Checks {
    /// Nothing happened yet.
    pub fn new(scenario: &Scenario, plan: &Plan, set: &GuardianSet) -> Self {
        Self {
            operators: plan.operators,
            set_hash: set.hash(),
            weights: plan.weights.clone(),
            liars: plan.liars.clone(),
            honest: BTreeSet::new(),
            validators: scenario.validators,
            said: Default::default(),
            voted: BTreeMap::new(),
            heads: BTreeMap::new(),
            chains: Default::default(),
            journals: BTreeMap::new(),
            finals: BTreeMap::new(),
            heights: BTreeMap::new(),
            base: None,
        }
    }

    /// Names the honest validators.
    #[must_use]
    pub fn with_honest(mut self, seed: u64, traitors: &[bool]) -> Self {
        let honest = (0..traitors.len()).filter(|validator| !traitors[*validator]);
        self.honest = honest.map(|validator| address_of(seed, validator)).collect();
        self
    }

    /// Votes that were said before the reset.
    pub fn votes(&self) -> impl Iterator<Item = &Vote> {
        self.said[0].values()
    }

    /// I5 of one segment: heights of an honest validator's votes ascend.
    pub(super) fn on_vote(&mut self, key: usize, lies: bool, chain: usize, vote: &Vote) -> Verdict {
        let after = chain == AFTERWARDS;
        self.said[usize::from(after)].insert((vote.voter, vote.body()), vote.clone());
        if lies {
            return Ok(());
        }
        let (height, hash) = *self.voted.entry((key, after)).or_insert((vote.height, vote.block_hash));
        if hash != vote.block_hash && vote.height <= height {
            return broken("I5", || format!("validator {key} votes at height {} after {height}", vote.height));
        }
        self.voted.insert((key, after), (vote.height, vote.block_hash));
        Ok(())
    }

    /// I1 within a chain, I2, and above the reset's base once there is one.
    pub(super) fn on_settled(
        &mut self,
        validator: usize,
        chain: usize,
        healed: bool,
        height: Height,
        parent: Hash,
        hash: Hash,
    ) -> Verdict {
        let head = self.heads.insert(validator, (height, hash));
        if head.is_some_and(|head| head != (height - 1, parent)) {
            return broken("I2", || {
                format!("validator {validator} settles height {height} on {parent}, after {head:?}")
            });
        }
        let other = *self.chains[chain].entry(height).or_insert(hash);
        // Once the sides hear each other a corrupt committee can take a validator from one to the other.
        if other != hash && (chain == AFTERWARDS || !healed) {
            return broken("I1", || format!("height {height} of chain {chain}: {other} and {hash} are settled"));
        }
        Ok(())
    }

    /// A validator goes on in the new segment: its settled head is the reset block.
    pub(super) fn begins_anew(&mut self, validator: usize, height: Height, hash: Hash) {
        self.heads.insert(validator, (height, hash));
    }

    /// I13 of what machines report.
    pub(super) fn on_evidence(&self, chain: usize, evidence: &Evidence) -> Verdict {
        let offender = evidence.offender();
        if self.honest.contains(&offender) {
            return broken("I13", || format!("evidence against the honest {offender} on chain {chain}"));
        }
        if chain == AFTERWARDS {
            return broken("segment", || format!("evidence against {offender}, who is not of the new committee"));
        }
        Ok(())
    }

    /// Honest validators stop only over two certificates of one height, which the new committee does not make.
    pub(super) fn on_halt(&self, validator: usize, lies: bool, chain: usize, reason: &HaltReason) -> Verdict {
        let conflict = matches!(reason, HaltReason::ConflictingCertificates { .. });
        if lies || (conflict && chain != AFTERWARDS) {
            return Ok(());
        }
        broken("halt", || format!("validator {validator} on chain {chain}: {reason:?}"))
    }

    /// I13 and I14: at least a third of the weight, nobody honest.
    pub(super) fn on_decision(&mut self, found: &Offences) -> Verdict {
        let named = found.offenders(StakePurpose::Validator);
        if let Some(honest) = named.iter().find(|offender| self.honest.contains(*offender)) {
            return broken("I13", || format!("evidence against the honest {honest}"));
        }
        if 3 * named.len() < self.validators {
            return broken("I14", || {
                format!("two chains are settled, {} of {} are named", named.len(), self.validators)
            });
        }
        Ok(())
    }

    pub(super) fn after_step(&mut self, node: usize, before: &View, after: &View) -> Verdict {
        let (height, resets) = *self.heights.entry(node).or_default();
        if after.finalized_height < before.finalized_height || after.finalized_height < height {
            return broken("I2", || format!("node {node}: final height {height} went to {}", after.finalized_height));
        }
        if after.resets < resets {
            return broken("I2", || format!("node {node}: {resets} resets, then {}", after.resets));
        }
        self.heights.insert(node, (after.finalized_height, after.resets));
        Ok(())
    }

    /// G1 for each number of resets; at most one reset a number, and nothing above its checkpoint before it.
    pub(super) fn on_record(&mut self, node: usize, chain: usize, record: &Record) -> Verdict {
        let journal = self.journals.entry(node).or_default();
        for (seen, earlier) in journal.iter() {
            let conflict = match (earlier, record) {
                (Record::Vote(old), Record::Vote(new)) if old.resets == new.resets => {
                    new.height <= old.height || (*seen != chain && old.resets == 0)
                }
                (Record::Vote(old), Record::Vote(new)) => old.resets > new.resets,
                (Record::Reset(old), Record::Vote(new)) => {
                    new.resets < old.number && new.height > old.checkpoint.height
                }
                (Record::Reset(old), Record::Reset(new)) => new.number <= old.number && new != old,
                (Record::Vote(_), Record::Reset(_)) => false,
            };
            if conflict {
                return broken("G1", || format!("guardian {node} signs {record:?} after {earlier:?}"));
            }
        }
        if let Record::Reset(reset) = record {
            let known = self.finals.get(&reset.checkpoint.height);
            if reset.checkpoint.height > 0 && known != Some(&reset.checkpoint.block_hash) {
                return broken("reset", || format!("guardian {node} signs {reset:?}, which is not final"));
            }
        }
        journal.push((chain, *record));
        Ok(())
    }

    fn vector(&self, signers: &[u8]) -> Result<Vec<u8>, String> {
        signer_vectors::unpack(self.weights.len(), signers).map_err(|error| error.to_string())
    }

    /// What an honest node says holds: honest ones in it signed it.
    fn genuine(&self, node: usize, signers: &[u8], wanted: Record) -> Result<u128, crate::invariants::Violation> {
        let vector = match self.vector(signers) {
            Ok(vector) => vector,
            Err(error) => return broken("wire", || format!("node {node}: {error}")).map(|()| 0),
        };
        let signed =
            |i: usize| self.journals.get(&i).is_some_and(|journal| journal.iter().any(|(_, record)| *record == wanted));
        if let Some(forged) = (0..vector.len()).find(|i| vector[*i] > 0 && !self.liars[*i] && !signed(*i)) {
            broken("forged", || format!("node {node} sends a vote of {forged}, which never gave it: {wanted:?}"))?;
        }
        let weights = vector.iter().zip(&self.weights).filter(|(entry, _)| **entry > 0);
        Ok(weights.map(|(_, weight)| *weight).sum())
    }

    pub(super) fn on_votes_sent(&self, node: usize, votes: &AggregatedVotes) -> Verdict {
        self.genuine(node, &votes.signers, Record::Vote(votes.checkpoint)).map(|_| ())
    }

    pub(super) fn on_reset_sent(&self, node: usize, votes: &ResetVotes) -> Verdict {
        self.genuine(node, &votes.signers, Record::Reset(votes.reset)).map(|_| ())
    }

    fn quorum(&self, node: usize, weight: u128, what: &str) -> Verdict {
        let total: u128 = self.weights.iter().sum();
        if 3 * weight <= 2 * total {
            return broken("quorum", || format!("node {node}: {what} with a weight of {weight} of {total}"));
        }
        Ok(())
    }

    /// I3, and no two final blocks at a height, whatever is reset.
    pub(super) fn on_final(&mut self, node: usize, settled: &[SettledCheckpoint], cert: &AggregatedVotes) -> Verdict {
        let Checkpoint { height, block_hash, set_hash, .. } = cert.checkpoint;
        let weight = self.genuine(node, &cert.signers, Record::Vote(cert.checkpoint))?;
        self.quorum(node, weight, "a checkpoint is final")?;
        let on_chain = settled.iter().any(|settled| (settled.height, settled.block_hash) == (height, block_hash));
        if !on_chain || set_hash != self.set_hash {
            return broken("I3", || {
                format!("node {node} finalizes {block_hash} at {height}, which it has not settled")
            });
        }
        let first = *self.finals.entry(height).or_insert(block_hash);
        if first != block_hash {
            return broken("agreement", || format!("{first} and {block_hash} are final at height {height}"));
        }
        Ok(())
    }

    /// A quorum signed what the operators decided; nothing final is above its checkpoint.
    pub(super) fn on_reset(&mut self, node: usize, cert: &ResetCert, decided: Option<Reset>) -> Verdict {
        let weight = self.genuine(node, &cert.signers, Record::Reset(cert.reset))?;
        self.quorum(node, weight, "the chain is reset")?;
        if self.operators == Operators::Few || decided != Some(cert.reset) {
            return broken("reset", || format!("node {node} sees {:?}, decided was {decided:?}", cert.reset));
        }
        let first = *self.base.get_or_insert(cert.reset);
        let before = self.finals.range(..).filter(|(height, _)| **height > first.checkpoint.height);
        let undone = before
            .map(|(height, hash)| (*height, *hash))
            .find(|(height, hash)| self.chains[..AFTERWARDS].iter().any(|chain| chain.get(height) == Some(hash)));
        if let Some((height, hash)) = undone {
            return broken("I2", || format!("node {node} undoes {hash}, final at height {height}"));
        }
        Ok(())
    }

    /// Everybody came to the end on one chain; nobody honest can be accused by all that was ever said.
    pub(super) fn at_the_end(&self) -> Verdict {
        for said in &self.said {
            let named = offences(said.values());
            if let Some(evidence) = named.iter().find(|evidence| self.honest.contains(&evidence.offender())) {
                return broken("I13", || format!("evidence against the honest {}", evidence.offender()));
            }
        }
        if self.operators == Operators::Few {
            return Ok(());
        }
        let Some(reset) = self.base else { return broken("reset", || "there was none".into()) };
        let wanted = reset.checkpoint.height + AFTER * INTERVAL;
        let late = self.heights.iter().find(|(_, (height, resets))| *height < wanted || *resets != reset.number);
        if let Some((node, (height, resets))) = late {
            return broken("I20", || format!("node {node} has {resets} resets and height {height} of {wanted} final"));
        }
        let base = reset.checkpoint.height;
        let off =
            self.finals.range(base + 1..).find(|(height, hash)| self.chains[AFTERWARDS].get(height) != Some(hash));
        if let Some((height, hash)) = off {
            return broken("I3", || format!("{hash} is final at height {height}, and not of the new segment"));
        }
        let honest_left = self.said[1].keys().map(|(voter, _)| *voter).collect::<BTreeSet<_>>();
        if let Some(missing) = self.honest.difference(&honest_left).next() {
            return broken("reset", || format!("the honest {missing} was left out: it never voted after the reset"));
        }
        Ok(())
    }
}
