//! Whom to dial and when.

mod saved;

use crate::address::Source;
use crate::bans::write_json;
use crate::record::AddressRecord;
use libp2p::multiaddr::Protocol;
use libp2p::swarm::ConnectionId;
use libp2p::swarm::dial_opts::DialOpts;
use libp2p::{Multiaddr, PeerId};
use saved::Saved;
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// Targets kept beside the seeds.
const LEARNT_MAX: usize = 1_000;
/// Addresses kept of one peer.
const ADDRESSES_MAX: usize = 8;
/// Peers written to `peers.json`.
const SAVED_MAX: usize = 100;
/// Dials of seeds and validators started at a time.
const DIALS_MAX: usize = 16;
/// Dials of others started at a time: anybody can have addresses learnt, and not all are honest ones.
const LEARNT_DIALS_MAX: usize = 2;
/// A validator that was never reached under its addresses is dialled this seldom in the end: they may be a stranger's.
const UNPROVEN_BACKOFF_MAX: Duration = Duration::from_secs(300);
/// Of two validators that hear of each other, the one with the greater peer id waits for the other's dial.
const HEAD_START: Duration = Duration::from_secs(2);
/// A peer that was never reached is forgotten after this many failures.
const FAILURES_UNKNOWN_MAX: u32 = 5;
/// One that was reached once.
const FAILURES_KNOWN_MAX: u32 = 50;
/// A peer of another chain is not dialled again for this long.
const REFUSED_FOR: Duration = Duration::from_secs(600);

#[derive(Debug)]
struct Target {
    peer: Option<PeerId>,
    addresses: Vec<Multiaddr>,
    seed: bool,
    /// A validator says that this is its identity.
    validator: bool,
    /// It has said hello to us once.
    known: bool,
    failures: u32,
    next: Instant,
    dial: Option<ConnectionId>,
}

/// The address book: seeds, validators, peers of former runs (`peers.json`), peers heard of.
#[derive(Debug)]
pub(crate) struct Book {
    path: PathBuf,
    local: PeerId,
    backoff: (Duration, Duration),
    targets: Vec<Target>,
    saved: Saved,
}

impl Book {
    /// Reads `peers.json` and adds the seeds.
    ///
    /// # Errors
    /// The file cannot be read or is no such object.
    pub(crate) fn load(
        path: PathBuf,
        local: PeerId,
        seeds: &[Multiaddr],
        backoff: (Duration, Duration),
        now: Instant,
    ) -> io::Result<Self> {
        let saved = Saved::load(&path)?;
        let peers: Vec<_> = saved.peers.clone().into_iter().take(SAVED_MAX).collect();
        let mut book = Self { path, local, backoff, targets: Vec::new(), saved };
        seeds.iter().for_each(|seed| book.add_seed(seed.clone(), now));
        for (id, addresses) in peers {
            if let Ok(peer) = id.parse() {
                book.learn(peer, addresses, now);
            }
        }
        Ok(book)
    }

    /// The address records of a former run, unchecked.
    pub(crate) fn saved_records(&self) -> Vec<AddressRecord> {
        self.saved.decode_records()
    }

    /// Adds an address that is always dialled.
    pub(crate) fn add_seed(&mut self, address: Multiaddr, now: Instant) {
        let peer = address.iter().find_map(|part| match part {
            Protocol::P2p(peer) => Some(peer),
            _ => None,
        });
        if peer == Some(self.local) {
            return;
        }
        let same = |target: &&mut Target| peer.is_some() && target.peer == peer;
        match self.targets.iter_mut().find(same) {
            Some(target) => {
                target.seed = true;
                merge(&mut target.addresses, [address]);
            }
            None => self.targets.push(Target::new(peer, vec![address], true, now)),
        }
    }

    /// Notes where others say a peer is; what is known of it already stays in front.
    pub(crate) fn learn(&mut self, peer: PeerId, addresses: impl IntoIterator<Item = Multiaddr>, now: Instant) {
        self.note(peer, addresses, now, append);
    }

    /// Notes where a peer says that it is.
    pub(crate) fn told_by_itself(
        &mut self,
        peer: PeerId,
        addresses: impl IntoIterator<Item = Multiaddr>,
        now: Instant,
    ) {
        self.note(peer, addresses, now, merge);
    }

    /// Where seeds and validators are, the operator and signed records say, and nobody else.
    fn note<A: IntoIterator<Item = Multiaddr>>(
        &mut self,
        peer: PeerId,
        addresses: A,
        now: Instant,
        put: impl FnOnce(&mut Vec<Multiaddr>, A),
    ) {
        if peer == self.local {
            return;
        }
        if let Some(target) = self.targets.iter_mut().find(|target| target.peer == Some(peer)) {
            if !target.is_wanted() {
                put(&mut target.addresses, addresses);
            }
        } else if self.targets.iter().filter(|target| !target.seed).count() < LEARNT_MAX {
            let mut kept = Vec::new();
            put(&mut kept, addresses);
            if !kept.is_empty() {
                self.targets.push(Target::new(Some(peer), kept, false, now));
            }
        }
    }

    /// Says where the validators are, by their own word; replaces what was said before. News of a validator neither
    /// shortens nor starts anew the wait before it is dialled again.
    pub(crate) fn set_validators(&mut self, validators: impl Iterator<Item = (PeerId, Vec<Multiaddr>)>, now: Instant) {
        self.targets.iter_mut().for_each(|target| target.validator = false);
        for (peer, addresses) in validators.filter(|(peer, _)| *peer != self.local).collect::<Vec<_>>() {
            if let Some(target) = self.targets.iter_mut().find(|target| target.peer == Some(peer)) {
                target.validator = true;
                merge(&mut target.addresses, addresses);
            } else if !addresses.is_empty() {
                let next = if self.local > peer { now + HEAD_START } else { now };
                let mut target = Target::new(Some(peer), addresses, false, next);
                target.validator = true;
                self.targets.push(target);
            }
        }
    }

    /// What to dial now: seeds and validators, and others too if `more` peers are wanted. Each counts as failed until
    /// [`Book::ready`].
    pub(crate) fn due(&mut self, more: bool, now: Instant, skip: impl Fn(&PeerId) -> bool) -> Vec<DialOpts> {
        let ready =
            |target: &Target| target.dial.is_none() && target.next <= now && !target.peer.as_ref().is_some_and(&skip);
        let (mut wanted, mut learnt) = (DIALS_MAX, if more { LEARNT_DIALS_MAX } else { 0 });
        let mut due = Vec::new();
        for target in self.targets.iter_mut().filter(|target| ready(target)) {
            let left = if target.is_wanted() { &mut wanted } else { &mut learnt };
            if *left > 0 {
                *left -= 1;
                due.push(target.start_dial(self.backoff, now));
            }
        }
        due
    }

    /// A dial has ended without a connection.
    pub(crate) fn failed(&mut self, dial: ConnectionId) {
        if let Some(target) = self.targets.iter_mut().find(|target| target.dial == Some(dial)) {
            target.dial = None;
        }
        self.targets.retain(|target| {
            let limit = if target.known { FAILURES_KNOWN_MAX } else { FAILURES_UNKNOWN_MAX };
            target.is_wanted() || target.failures < limit
        });
    }

    /// A dial has led to ourselves: it is not tried again.
    pub(crate) fn is_us(&mut self, dial: ConnectionId) {
        self.targets.retain(|target| target.dial != Some(dial));
    }

    /// A dial has led to `peer`.
    pub(crate) fn established(&mut self, dial: ConnectionId, peer: PeerId) {
        if let Some(target) = self.targets.iter_mut().find(|target| target.dial == Some(dial)) {
            target.dial = None;
            target.peer = Some(peer);
        }
    }

    /// `peer` has said hello.
    pub(crate) fn ready(&mut self, peer: &PeerId) {
        for target in self.targets.iter_mut().filter(|target| target.peer == Some(*peer)) {
            target.known = true;
            target.failures = 0;
        }
    }

    /// The last connection to `peer` is gone.
    pub(crate) fn lost(&mut self, peer: &PeerId, now: Instant) {
        for target in self.targets.iter_mut().filter(|target| target.peer == Some(*peer)) {
            target.next = target.next.max(now + self.backoff.0);
        }
    }

    /// `peer` is of another chain.
    pub(crate) fn refuse(&mut self, peer: &PeerId, now: Instant) {
        for target in self.targets.iter_mut().filter(|target| target.peer == Some(*peer)) {
            target.next = now + REFUSED_FOR;
        }
    }

    pub(crate) fn is_seed(&self, peer: &PeerId) -> bool {
        self.targets.iter().any(|target| target.seed && target.peer == Some(*peer))
    }

    /// Where the seeds are.
    pub(crate) fn seed_sources(&self) -> BTreeSet<Source> {
        let seeds = self.targets.iter().filter(|target| target.seed);
        seeds.flat_map(|target| &target.addresses).filter_map(Source::of).collect()
    }

    /// Writes the peers that were reached and the validators' `records`, if they have changed.
    ///
    /// # Errors
    /// The file cannot be written.
    pub(crate) fn save<'a>(&mut self, records: impl Iterator<Item = &'a AddressRecord>) -> io::Result<()> {
        let known = self.targets.iter().filter(|target| target.known);
        let peers: BTreeMap<_, _> = known
            .filter_map(|target| Some((target.peer?.to_string(), target.addresses.clone())))
            .take(SAVED_MAX)
            .collect();
        let now = Saved::new(peers, records);
        if !now.peers.is_empty() && now != self.saved {
            write_json(&self.path, &now)?;
            self.saved = now;
        }
        Ok(())
    }
}

impl Target {
    fn new(peer: Option<PeerId>, addresses: Vec<Multiaddr>, seed: bool, next: Instant) -> Self {
        Self { peer, addresses, seed, validator: false, known: false, failures: 0, next, dial: None }
    }

    /// True if it is dialled however many peers there are.
    fn is_wanted(&self) -> bool {
        self.seed || self.validator
    }

    /// Starts a dial, which counts as failed until the hello.
    fn start_dial(&mut self, (min, max): (Duration, Duration), now: Instant) -> DialOpts {
        let max = if self.seed || self.known { max } else { max.max(UNPROVEN_BACKOFF_MAX) };
        self.next = now + min.saturating_mul(1 << self.failures.min(16)).min(max);
        self.failures = self.failures.saturating_add(1);
        let options = self.options();
        self.dial = Some(options.connection_id());
        options
    }

    /// From a fresh local port: two nodes that dial each other from their listening ports would both be the dialler.
    fn options(&self) -> DialOpts {
        match (self.peer, self.addresses.first()) {
            (None, Some(address)) => DialOpts::unknown_peer_id().address(address.clone()).allocate_new_port().build(),
            (Some(peer), _) => DialOpts::peer_id(peer).addresses(self.addresses.clone()).allocate_new_port().build(),
            (None, None) => unreachable!("a target has an address or a peer id"),
        }
    }
}

/// Puts `new` addresses in front, without the peer id, newest kept.
fn merge(addresses: &mut Vec<Multiaddr>, new: impl IntoIterator<Item = Multiaddr>) {
    for address in new.into_iter().map(without_peer) {
        if !address.is_empty() && !addresses.contains(&address) {
            addresses.insert(0, address);
        }
    }
    addresses.truncate(ADDRESSES_MAX);
}

/// Puts `new` addresses behind, without the peer id, as far as there is room.
fn append(addresses: &mut Vec<Multiaddr>, new: impl IntoIterator<Item = Multiaddr>) {
    for address in new.into_iter().map(without_peer) {
        if !address.is_empty() && !addresses.contains(&address) && addresses.len() < ADDRESSES_MAX {
            addresses.push(address);
        }
    }
}

fn without_peer(mut address: Multiaddr) -> Multiaddr {
    if let Some(Protocol::P2p(_)) = address.iter().last() {
        address.pop();
    }
    address
}

#[cfg(test)]
mod tests;
