//! Validator sets by name, each with its turns; and which set a block belongs to (§1.12 REC).

use crate::limits::SETS_MAX;
use crate::tree::Tree;
use crate::{BlockMeta, Schedule, SetSnapshot, ValidatorSet};
use alloy_rlp::{RlpDecodable, RlpEncodable};
use std::collections::BTreeMap;
use vigil_primitives::{Address, Epoch, Hash};

/// Names a validator set: two branches may each propose a set of the same index.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, RlpEncodable, RlpDecodable)]
pub struct SetKey {
    /// How many set changes led to it; genesis: 0.
    pub index: u64,
    /// The block whose post-state it is; genesis: the genesis block.
    pub origin: Hash,
}

#[derive(Clone)]
struct SetState {
    validators: ValidatorSet,
    schedule: Schedule,
}

/// The sets that are, were or may become active.
#[derive(Clone)]
pub(crate) struct Sets {
    known: BTreeMap<SetKey, SetState>,
}

impl Sets {
    pub(crate) fn restore(snapshots: &[SetSnapshot], head: &BlockMeta) -> Self {
        let state = |snapshot: &SetSnapshot| {
            let schedule = snapshot.turns.restore(&snapshot.validators);
            let schedule = schedule.expect("a restart point is checked when it is decoded");
            (snapshot.key, SetState { validators: snapshot.validators.clone(), schedule })
        };
        let mut sets = Self { known: snapshots.iter().map(state).collect() };
        sets.add_successor(head);
        sets
    }

    /// Registers the set that a flagged block makes.
    pub(crate) fn add_successor(&mut self, flagged: &BlockMeta) {
        if let Some(set) = &flagged.set_after {
            let schedule = Schedule::new(set, flagged.epoch);
            self.known.entry(successor(flagged)).or_insert_with(|| SetState { validators: set.clone(), schedule });
        }
    }

    pub(crate) fn get(&self, key: &SetKey) -> Option<&ValidatorSet> {
        self.known.get(key).map(|state| &state.validators)
    }

    /// All sets, newest index first: what a certificate of an unknown block is tried against.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&SetKey, &ValidatorSet)> {
        self.known.iter().rev().map(|(key, state)| (key, &state.validators))
    }

    /// True for a member of any known set.
    pub(crate) fn any_contains(&self, address: &Address) -> bool {
        self.known.values().any(|state| state.validators.contains(address))
    }

    pub(crate) fn proposer(&mut self, key: &SetKey, epoch: Epoch) -> Option<Address> {
        let SetState { validators, schedule } = self.known.get_mut(key)?;
        schedule.proposer(validators, epoch)
    }

    /// Without keeping what was computed.
    pub(crate) fn peek_proposer(&self, key: &SetKey, epoch: Epoch) -> Option<Address> {
        let SetState { validators, schedule } = self.known.get(key)?;
        schedule.clone().proposer(validators, epoch)
    }

    pub(crate) fn snapshots(&self, tail: &[BlockMeta]) -> Vec<SetSnapshot> {
        let used = self.known.iter().filter(|(key, _)| tail.iter().any(|meta| meta.set == **key));
        used.map(|(key, state)| SetSnapshot {
            key: *key,
            validators: state.validators.clone(),
            turns: state.schedule.checkpoint(),
        })
        .collect()
    }

    /// After a settlement: drops sets of discarded branches and old ones, and moves the checkpoints up.
    pub(crate) fn prune(&mut self, tree: &Tree) {
        let head = tree.head();
        let used = |key: &SetKey| {
            tree.tail().iter().any(|meta| meta.set == *key)
                || tree.meta(&key.origin).is_some_and(|meta| meta.set_after.is_some())
                || tree.nodes().any(|node| node.meta.set == *key)
        };
        self.known.retain(|key, _| used(key) || key.index + 1 == head.set.index);
        while self.known.len() > SETS_MAX {
            self.known.pop_first();
        }
        if let Some(SetState { validators, schedule }) = self.known.get_mut(&head.set) {
            schedule.advance(validators, head.epoch);
        }
    }
}

/// The name of the set after a flagged block.
pub(crate) fn successor(flagged: &BlockMeta) -> SetKey {
    SetKey { index: flagged.set.index + 1, origin: flagged.hash }
}

/// The set of a block on `parent` that carries the certificate of `hcc`, and its pending set change.
///
/// `None` only if the tree does not reach far enough down, which it does for all blocks on it.
pub(crate) fn of_child(tree: &Tree, parent: &BlockMeta, hcc: &BlockMeta) -> Option<(SetKey, Option<Hash>)> {
    let pend = if parent.set_after.is_some() { Some(parent.hash) } else { parent.pend };
    let Some(flagged) = pend else { return Some((parent.set, None)) };
    let flagged = tree.meta(&flagged)?;
    let proven = hcc.height > flagged.height
        && hcc.hcc_hash == hcc.parent
        && hcc.set == flagged.set
        && tree.meta(&hcc.parent).is_some_and(|c| c.height >= flagged.height && c.set == flagged.set);
    Some(if proven { (successor(flagged), None) } else { (parent.set, pend) })
}
