//! Settlement by direct link (§1.8), across set changes as §1.12 has it.

use crate::machine::Machine;
use crate::{BACKOFF_MIN, BlockMeta, Effect, Message, Settled, SettledBlock};
use std::sync::Arc;
use vigil_primitives::{Block, Hash};

impl Machine {
    /// Settles the highest block that a known certificate settles. Returns true if there was one.
    pub(crate) fn settle_certified(&mut self) -> bool {
        let head = self.tree.head().height;
        let settled = self.certs.keys().filter_map(|hash| {
            let child = &self.tree.node(hash)?.meta;
            let target = self.tree.node(&self.settled_by(child)?)?;
            (target.valid && target.meta.height > head).then_some((target.meta.height, target.meta.hash, *hash))
        });
        let Some((_, target, by)) = settled.max() else { return false };
        let proves_set_change = self.tree.meta(&by).is_some_and(|child| child.pend == Some(target));
        self.settle(&target);
        if proves_set_change && self.may_sign() {
            let hcc = self.certs[&by].hcc.clone();
            self.broadcast(Message::Certificate(hcc));
        }
        true
    }

    /// What the certificate of `child` settles, if anything.
    fn settled_by(&self, child: &BlockMeta) -> Option<Hash> {
        let direct = child.hcc_hash == child.parent;
        let loose = !self.config.rules.direct_link && self.certs.contains_key(&child.parent);
        if !direct && !loose {
            return None;
        }
        let parent = self.tree.meta(&child.parent)?;
        match child.pend {
            Some(flagged) => Some(flagged),
            None => (parent.set == child.set).then_some(parent.hash),
        }
    }

    fn settle(&mut self, target: &Hash) {
        let cut = self.tree.settle(target);
        let direct = self.direct_links(&cut.settled, target);
        let blocks = cut
            .settled
            .into_iter()
            .zip(direct)
            .map(|((hash, block), direct)| SettledBlock { hash, block, direct })
            .collect();
        self.forget_below();
        self.clock.backoff = BACKOFF_MIN;
        self.refresh_high();
        let settled = Settled { blocks, discarded: cut.discarded, restart: self.restart_point() };
        self.out.push(Effect::Settled(Box::new(settled)));
    }

    /// Which of the settled blocks have a certified child that links to them.
    fn direct_links(&self, settled: &[(Hash, Arc<Block>)], target: &Hash) -> Vec<bool> {
        let above_target =
            self.tree.nodes().filter(|node| node.meta.parent == *target && node.meta.hcc_hash == *target);
        let last = above_target.map(|node| node.meta.hash).any(|hash| self.certs.contains_key(&hash));
        let inner = settled.windows(2).map(|pair| {
            let (hash, child) = &pair[1];
            child.header.links_directly() && self.certs.contains_key(hash)
        });
        inner.chain([last]).collect()
    }

    /// Everything at or below the new head has done its work, but the head's own certificate.
    fn forget_below(&mut self) {
        let (height, hash) = (self.tree.head().height, self.tree.head().hash);
        self.certs.retain(|block, cert| cert.height > height || *block == hash);
        self.parking.prune(height);
        self.fetches.prune(height);
        self.sets.prune(&self.tree);
        let sets = &self.sets;
        self.changes.retain(|voter, _| sets.any_contains(voter));
        self.tally.prune(height, |voter| sets.any_contains(voter));
        self.unpark = true;
    }
}
