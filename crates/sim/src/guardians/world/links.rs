//! Nodes come and go, and the links between them.

use super::World;
use crate::guardians::node::{Role, config, voter};
use vigil_consensus::Peer;
use vigil_consensus::finality::Input;
use vigil_primitives::keccak256;

impl World {
    pub(super) fn start(&mut self, node: usize) {
        let voter = voter(node, &self.signatures);
        self.nodes[node].start(config(), Some(voter));
        self.step(node, Input::Start);
        for other in self.graph[node].clone() {
            self.connect(node, other);
        }
    }

    /// A connection comes up if both ends run and no partition is between them.
    fn connect(&mut self, a: usize, b: usize) {
        let runs = |node: usize| self.nodes[node].role != Role::Honest || self.nodes[node].machine.is_some();
        let apart = self.side.as_ref().is_some_and(|side| side[a] != side[b]);
        if !runs(a) || !runs(b) || apart || !self.nodes[a].connected.insert(b) {
            return;
        }
        self.nodes[b].connected.insert(a);
        self.step(a, Input::Connected(Peer(b as u64)));
        self.step(b, Input::Connected(Peer(a as u64)));
    }

    fn disconnect(&mut self, a: usize, b: usize) {
        if self.nodes[a].connected.remove(&b) {
            self.nodes[b].connected.remove(&a);
            self.step(a, Input::Disconnected(Peer(b as u64)));
            self.step(b, Input::Disconnected(Peer(a as u64)));
        }
    }

    pub(super) fn crash(&mut self, node: usize) {
        if self.nodes[node].machine.take().is_some() {
            for other in self.graph[node].clone() {
                self.disconnect(node, other);
            }
        }
    }

    pub(super) fn resync(&mut self, node: usize) {
        if self.nodes[node].role != Role::Honest {
            return;
        }
        self.crash(node);
        self.deceived[node] = !self.deceived[node];
        let heights = 1..=self.nodes[node].settled.len() as u64;
        let settled = heights.map(|number| self.settled_as(node, number)).collect();
        self.nodes[node].finalized = None;
        self.nodes[node].settled = settled;
        self.start(node);
    }

    /// Half of the nodes are cut off from the other half.
    pub(super) fn partition(&mut self, number: u64, heals: bool) {
        let sides = (0..self.nodes.len())
            .map(|node| keccak256([node.to_be_bytes(), number.to_be_bytes()].concat())[0] & 1 == 1);
        self.side = (!heals).then(|| sides.collect());
        for a in 0..self.nodes.len() {
            for b in self.graph[a].clone() {
                match &self.side {
                    Some(side) if side[a] != side[b] => self.disconnect(a, b),
                    _ => self.connect(a, b),
                }
            }
        }
    }
}
