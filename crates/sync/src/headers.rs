//! Headers above our settled head: those that a quorum vouches for, and above them the word of one peer.

use crate::answer::Link;
use crate::{Head, Millis, Peer};
use std::collections::VecDeque;
use std::sync::Arc;
use vigil_consensus::HEIGHT_WINDOW;
use vigil_primitives::{Hash, Hcc, Height};

/// Headers in a row without a new certificate. Nobody takes blocks further above what it has settled than half of this.
const UNPROVEN_MAX: Height = 2 * HEIGHT_WINDOW;

/// Why headers are not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// Whoever says this lies.
    Lie(String),
    /// They are of another branch than the proven ones. Certified is not settled: either may be the one that settles.
    OtherBranch(String),
}

/// A chain on our settled head.
#[derive(Clone, Debug)]
pub(crate) struct Headers {
    base: Head,
    /// Hashes from `base.height + 1` up, and who gave them; the votes of a quorum for the last one were verified.
    proven: VecDeque<(Hash, Peer)>,
    /// The certificate of the last proven header, until it is handed to consensus.
    cert: Option<Arc<Hcc>>,
    /// True if the last proven header was not settled where it came from: that peer may yet tell another.
    ends_in_tip: bool,
    /// What comes above.
    pub(crate) tail: Option<Tail>,
}

/// Headers of one peer on the proven ones, unproven.
#[derive(Clone, Debug)]
pub(crate) struct Tail {
    pub(crate) peer: Peer,
    links: Vec<Link>,
    /// What the headers' certificates prove that is new, by height of the certified block, ascending.
    certs: Vec<(Height, Arc<Hcc>)>,
    /// Height up to which the last header's certificate reaches at most.
    certified: Height,
    has_tip: bool,
    /// Answers since something was proven.
    pub(crate) answers: u32,
    /// Time of the first of them.
    pub(crate) since: Option<Millis>,
    /// Its certificates are of no set known so far: not to be verified again before this time.
    pub(crate) waits_until: Option<Millis>,
}

impl Headers {
    pub(crate) fn on(base: Head) -> Self {
        Self { base, proven: VecDeque::new(), cert: None, ends_in_tip: false, tail: None }
    }

    /// The last proven header, or our settled head.
    pub(crate) fn proven_end(&self) -> Head {
        let hash = self.proven.back().map_or(self.base.hash, |(hash, _)| *hash);
        Head { height: self.base.height + self.proven.len() as Height, hash }
    }

    /// Height of the last header held.
    pub(crate) fn end(&self) -> Height {
        self.proven_end().height + self.tail.as_ref().map_or(0, |tail| tail.links.len() as Height)
    }

    /// A proven header and who gave it.
    pub(crate) fn at(&self, height: Height) -> Option<(Hash, Peer)> {
        let index = height.checked_sub(self.base.height + 1)?;
        self.proven.get(usize::try_from(index).ok()?).copied()
    }

    /// Height of a proven header.
    pub(crate) fn height_of(&self, hash: &Hash) -> Option<Height> {
        (self.base.height + 1..).zip(&self.proven).find(|(_, (proven, _))| proven == hash).map(|(height, _)| height)
    }

    /// The certificate of the last proven header, once.
    pub(crate) fn take_cert(&mut self) -> Option<(Peer, Arc<Hcc>)> {
        let (_, peer) = self.proven.back()?;
        self.cert.take().map(|cert| (*peer, cert))
    }

    /// Our settled head is `head`. Keeps what stands on it; false if nothing does.
    pub(crate) fn settle(&mut self, head: Head) -> bool {
        if self.at(head.height).is_none_or(|(hash, _)| hash != head.hash) {
            *self = Self::on(head);
            return false;
        }
        self.proven.drain(..(head.height - self.base.height) as usize);
        self.base = head;
        true
    }

    /// Takes headers from [`Headers::end`] + 1 up, of the peer of the tail if there is one.
    pub(crate) fn take(&mut self, peer: Peer, links: Vec<Link>, tip: Option<Arc<Hcc>>) -> Result<(), Refusal> {
        let end = self.proven_end();
        if let Some(first) = links.first() {
            self.check_stands(peer, first)?;
        }
        let tail = self.tail.get_or_insert_with(|| Tail::new(peer, end.height));
        tail.extend(links, tip).map_err(Refusal::Lie)
    }

    fn check_stands(&self, peer: Peer, first: &Link) -> Result<(), Refusal> {
        if let Some(last) = self.tail.as_ref().and_then(|tail| tail.links.last()) {
            return first.check_follows(last).map_err(Refusal::Lie);
        }
        let below = self.proven_end();
        let due = below.height + 1;
        if first.height != due {
            return Err(Refusal::Lie(format!("a header of height {} where {due} belongs", first.height)));
        }
        if first.parent == below.hash {
            return Ok(());
        }
        let reason = format!("header {} has parent {}, not {}", first.height, first.parent, below.hash);
        let settled = self.proven.is_empty();
        let its_own = self.proven.back().is_some_and(|(_, giver)| *giver == peer) && !self.ends_in_tip;
        Err(if settled || its_own { Refusal::Lie(reason) } else { Refusal::OtherBranch(reason) })
    }

    /// The first `good` certificates of the tail are genuine: what they certify is proven.
    pub(crate) fn prove(&mut self, good: usize) {
        let Some(tail) = &mut self.tail else { return };
        let Some((height, cert)) = tail.certs.drain(..good.min(tail.certs.len())).next_back() else { return };
        let count = tail.links.iter().take_while(|link| link.height <= height).count();
        self.proven.extend(tail.links.drain(..count).map(|link| (link.hash, tail.peer)));
        self.cert = Some(cert);
        self.ends_in_tip = tail.has_tip && tail.links.is_empty();
        (tail.answers, tail.since) = (0, None);
    }
}

impl Tail {
    fn new(peer: Peer, proven: Height) -> Self {
        let (links, certs) = (Vec::new(), Vec::new());
        Self { peer, links, certs, certified: proven, has_tip: false, answers: 0, since: None, waits_until: None }
    }

    /// Certificates that would prove something.
    pub(crate) fn certs(&self) -> Vec<Arc<Hcc>> {
        self.certs.iter().map(|(_, cert)| cert.clone()).collect()
    }

    /// True if certificates wait to be verified.
    pub(crate) fn has_certs(&self) -> bool {
        !self.certs.is_empty()
    }

    fn extend(&mut self, links: Vec<Link>, tip: Option<Arc<Hcc>>) -> Result<(), String> {
        self.answers += 1;
        for link in links {
            self.weigh(&link.cert, link.height)?;
            self.links.push(link);
        }
        self.has_tip = tip.is_some();
        let Some(cert) = tip else { return Ok(()) };
        match self.links.last() {
            Some(last) if last.is_subject_of(&cert) => {
                self.certs.push((last.height, cert));
                Ok(())
            }
            _ => Err(format!("a certificate of {}, which is not the last header", cert.block_hash)),
        }
    }

    /// Looks what the certificate in a header of height `carrier` proves. One of a block that is not in the tail is of a
    /// proven or settled one (or of none, then this header will never be certified).
    fn weigh(&mut self, cert: &Arc<Hcc>, carrier: Height) -> Result<(), String> {
        match self.links.iter().rev().find(|link| link.hash == cert.block_hash) {
            Some(link) if !link.is_subject_of(cert) => {
                return Err(format!("the votes in header {carrier} are not those for header {}", link.height));
            }
            Some(link) if link.height < self.certified => {
                return Err(format!("header {carrier} goes back to the certificate of {}", link.height));
            }
            Some(link) if link.height > self.certified => {
                self.certified = link.height;
                self.certs.push((link.height, cert.clone()));
            }
            _ => {}
        }
        match carrier.saturating_sub(self.certified) > UNPROVEN_MAX {
            true => Err(format!("header {carrier} stands on {UNPROVEN_MAX} headers without a certificate")),
            false => Ok(()),
        }
    }
}
