//! Progress in synchronous times: I15, I16, I19.

use super::{Verdict, broken};
use crate::agenda::Time;
use crate::lineage::Kin;
use crate::plan::Plan;
use crate::scenario::Scenario;
use std::collections::VecDeque;
use vigil_primitives::{Epoch, Height};

/// Who is how far since when.
#[derive(Clone)]
pub struct Liveness {
    delta: Time,
    check_skew: bool,
    gst: Time,
    last_fault: Time,
    stall_limit: Time,
    top: Height,
    grew_at: Time,
    /// First settlement after GST, if there was one, and the longest time between two.
    first: Option<Time>,
    gap_max: Time,
    node_height: Vec<Height>,
    node_grew_at: Vec<Time>,
    epochs: Vec<Epoch>,
    /// Nodes that are running and have caught up with the frontier since GST or their restart.
    in_step: Vec<bool>,
    running: Vec<bool>,
    frontier: Epoch,
    /// Epoch, index of the committee, time of the first entry.
    entries: VecDeque<(Epoch, u64, Time)>,
    set_indices: Vec<u64>,
    newest_set: u64,
    changes_settled: u64,
}

impl Liveness {
    pub fn new(scenario: &Scenario, plan: &Plan) -> Self {
        Self {
            delta: scenario.delta,
            check_skew: scenario.slowness == 1,
            gst: plan.weather.gst,
            last_fault: plan.last_fault,
            stall_limit: scenario.stall_limit(),
            top: 0,
            grew_at: plan.weather.gst,
            first: None,
            gap_max: 0,
            node_height: vec![0; plan.nodes],
            node_grew_at: vec![0; plan.nodes],
            epochs: vec![0; plan.nodes],
            in_step: vec![false; plan.nodes],
            running: (0..plan.nodes).map(|node| !plan.is_faulty(node)).collect(),
            frontier: 0,
            entries: VecDeque::new(),
            set_indices: vec![0; plan.nodes],
            newest_set: 0,
            changes_settled: 0,
        }
    }

    /// An honest node settled a block.
    pub fn settled(&mut self, now: Time, node: usize, kin: &Kin) {
        self.node_height[node] = kin.height();
        self.node_grew_at[node] = now;
        if kin.height() <= self.top {
            return;
        }
        self.top = kin.height();
        self.changes_settled += u64::from(kin.flagged);
        if now >= self.gst {
            self.first.get_or_insert(now - self.gst);
            self.gap_max = self.gap_max.max(now - self.grew_at.max(self.gst));
        }
        self.grew_at = now;
    }

    /// An honest node is in an epoch, under the committee with this index; `member`: it believes to be one of it.
    /// True if it is the first of its committee there.
    pub fn epoch(&mut self, now: Time, node: usize, epoch: Epoch, set_index: u64, member: bool) -> bool {
        let entered = std::mem::replace(&mut self.epochs[node], epoch) < epoch;
        self.set_indices[node] = set_index;
        self.newest_set = self.newest_set.max(set_index);
        let first = entered && member && set_index == self.newest_set && epoch > self.frontier;
        if first {
            self.frontier = epoch;
            if now >= self.gst {
                self.entries.push_back((epoch, set_index, now));
            }
        }
        if now >= self.gst && epoch >= self.frontier {
            self.in_step[node] = true;
        }
        first
    }

    /// A node lacks the blocks to judge the newest certificate: it is not bound until it has caught up.
    pub fn excuse(&mut self, node: usize) {
        self.in_step[node] = false;
    }

    /// A node crashed: who heard of its last epochs is unknown.
    pub fn crashed(&mut self, node: usize) {
        self.running[node] = false;
        self.in_step[node] = false;
        self.entries.clear();
    }

    /// Its chain database is the one of this height.
    pub fn restored(&mut self, node: usize, height: Height) {
        self.node_height[node] = height;
    }

    /// It is back.
    pub fn restarted(&mut self, now: Time, node: usize, epoch: Epoch) {
        self.running[node] = true;
        self.epochs[node] = epoch;
        self.node_grew_at[node] = now;
    }

    /// What time alone can break.
    pub fn tick(&mut self, now: Time) -> Verdict {
        if now < self.gst {
            return Ok(());
        }
        self.skew(now)?;
        if now - self.grew_at.max(self.gst) > self.stall_limit {
            return broken("I16", || {
                format!("nothing settled above height {} from {} to {now} ms, GST {}", self.top, self.grew_at, self.gst)
            });
        }
        Ok(())
    }

    /// I15, among validators that reckon with the same committee, the newest. Who does not know it yet, for want of
    /// blocks, can neither judge its certificates nor make any: it has to fetch, which I16 watches.
    fn skew(&mut self, now: Time) -> Verdict {
        while let Some((epoch, set_index, first)) = self.entries.front().copied() {
            if now <= first + self.delta {
                return Ok(());
            }
            self.entries.pop_front();
            let bound =
                |node: &usize| self.running[*node] && self.in_step[*node] && self.set_indices[*node] == set_index;
            let late = (0..self.epochs.len()).find(|node| bound(node) && self.epochs[*node] < epoch);
            if let Some(node) = late.filter(|_| self.check_skew) {
                let own = self.epochs[node];
                return broken("I15", || {
                    format!("node {node} is in epoch {own}, {epoch} was entered {} ms ago", now - first)
                });
            }
        }
        Ok(())
    }

    /// What is looked at now and then: laggards.
    pub fn probe(&self, now: Time) -> Verdict {
        let patience = 2 * self.stall_limit;
        for node in (0..self.node_height.len()).filter(|node| self.running[*node]) {
            let since = self.node_grew_at[node].max(self.last_fault);
            if self.node_height[node] < self.top && now > since + patience {
                let height = self.node_height[node];
                return broken("I16", || format!("node {node} stays at height {height}, others are at {}", self.top));
            }
        }
        Ok(())
    }

    /// Time from GST to the first settlement.
    pub fn first_settlement(&self) -> Time {
        self.first.unwrap_or(0)
    }

    /// Longest time between settlements after GST.
    pub fn gap_max(&self) -> Time {
        self.gap_max
    }

    /// Set changes that were settled.
    pub fn changes_settled(&self) -> u64 {
        self.changes_settled
    }
}
