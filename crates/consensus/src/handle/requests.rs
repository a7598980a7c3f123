//! A peer asks for a block or a certificate.

use crate::machine::Machine;
use crate::{Effect, Lookup, Message, Peer};
use std::sync::Arc;
use vigil_primitives::Hash;

impl Machine {
    pub(crate) fn on_block_request(&mut self, from: Peer, hash: Hash) {
        let effect = match self.tree.node(&hash) {
            Some(node) => Effect::Send { to: from, message: Message::Block(node.block.clone()) },
            None => Effect::Lookup { to: from, lookup: Lookup::Block(hash) },
        };
        self.out.push(effect);
    }

    pub(crate) fn on_cert_request(&mut self, from: Peer, hash: Hash) {
        let lock = self.own.lock.as_ref().filter(|lock| lock.hash == hash).map(|lock| Arc::new(lock.cc.clone()));
        let held = self.certs.get(&hash).map(|cert| cert.hcc.clone()).or(lock);
        let effect = match held {
            Some(hcc) => Effect::Send { to: from, message: Message::Certificate(hcc) },
            None => Effect::Lookup { to: from, lookup: Lookup::Cert(hash) },
        };
        self.out.push(effect);
    }
}
