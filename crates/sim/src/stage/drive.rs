//! Time passes, inputs reach the machines, and what these ask for is done at once, but for what the script decides.

use super::{Stage, TRAITOR, honest};
use vigil_consensus::{Effect, Input, Message, Peer, TimerId};

impl Stage {
    pub(super) fn pass_time(&mut self, ms: u64) {
        let end = self.now + ms;
        while let Some((at, node, id)) = self.next_timer(end) {
            self.now = self.now.max(at);
            self.timers[node].remove(&id);
            self.input(node, Input::Timer(id));
        }
        self.now = end;
    }

    fn next_timer(&self, end: u64) -> Option<(u64, usize, TimerId)> {
        let all = honest().flat_map(|node| self.timers[node].iter().map(move |(id, at)| (*at, node, *id)));
        all.filter(|(at, ..)| *at <= end).min()
    }

    pub(super) fn deliver(&mut self, node: usize, message: Message) {
        self.input(node, Input::Received { from: Peer(TRAITOR as u64), message });
    }

    pub(super) fn input(&mut self, node: usize, input: Input) {
        let mut effects = Vec::new();
        self.shells[node].step(self.now, input, &mut effects);
        self.perform(node, effects);
    }

    pub(super) fn perform(&mut self, node: usize, effects: Vec<Effect>) {
        for effect in effects {
            match effect {
                Effect::Journal(record) => self.shells[node].write_journal(&record),
                Effect::Send { message, .. } | Effect::Broadcast(message) => self.overhear(node, &message),
                Effect::SetTimer { id, at } => {
                    let at = self.shells[node].set_timer(id, at);
                    self.timers[node].insert(id, at);
                }
                Effect::Execute(block) => {
                    let hash = block.hash();
                    let result = self.shells[node].execute(&block).expect("parents come first");
                    let outcome = result.map(|(executed, state)| {
                        self.shells[node].keep(hash, block, executed.clone(), state);
                        executed
                    });
                    self.input(node, Input::Executed { block: hash, outcome });
                }
                Effect::Build(request) => self.wanted[node] = Some(*request),
                Effect::StoreOwn(block) => {
                    let (executed, state) = self.shells[node].execute(&block).expect("its parent").expect("valid");
                    self.own = Some(block.hash());
                    self.shells[node].keep(block.hash(), block, executed, state);
                }
                Effect::Settled(settled) => {
                    self.settled[node].extend(settled.blocks.iter().map(|block| block.hash));
                    self.shells[node].settle(&settled);
                }
                Effect::Discarded(hashes) => self.shells[node].discard(&hashes),
                Effect::StoreCert(hcc) => self.shells[node].keep_cert(hcc),
                Effect::Lookup { .. } | Effect::Evidence(_) | Effect::Penalize { .. } | Effect::Halted(_) => {}
            }
        }
    }

    fn overhear(&mut self, node: usize, message: &Message) {
        match message {
            Message::Vote(vote) if vote.voter == self.signers[node].address() => {
                self.seen.vote(node, vote, &self.lineage);
            }
            Message::EpochChange(change) => {
                self.changes.insert(change.voter, change.clone());
            }
            Message::Proposal(proposal) => self.lineage.enter(proposal.block.hash(), &proposal.block),
            _ => {}
        }
    }
}
