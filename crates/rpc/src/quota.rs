//! Bytes that all requests together may hold: the limits of one request, times the connections, are more than a node has.
//!
//! What is small takes none of it, so whoever holds the whole quota keeps out only what is large. One IP address gets a
//! quarter. Loopback is the operator's own and gets all: otherwise one local program would leave nothing to the others.
//! A proxy on another host counts as one client; one on this host as the operator: it has to bound its clients itself.

use crate::limits::{QUOTA_PARTS, SMALL_BYTES_MAX};
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What there is, shared by all who take from it.
#[derive(Clone, Debug)]
pub(crate) struct Quota(Arc<Pool>);

#[derive(Debug)]
struct Pool {
    bytes: usize,
    taken: Mutex<Taken>,
}

#[derive(Debug, Default)]
struct Taken {
    all: usize,
    by_address: HashMap<IpAddr, usize>,
}

/// What one connection holds: its first [`SMALL_BYTES_MAX`] bytes are free, the rest is taken from the quota in steps of
/// as many.
#[derive(Clone, Debug)]
pub(crate) struct Account(Arc<Holder>);

#[derive(Debug)]
struct Holder {
    quota: Quota,
    from: IpAddr,
    held: Mutex<usize>,
}

/// A part of what a connection holds; given back when dropped.
#[derive(Debug)]
pub(crate) struct Share {
    account: Account,
    bytes: AtomicUsize,
}

/// One of a quota of things; given back when dropped.
#[derive(Debug)]
pub(crate) struct Seat {
    quota: Quota,
    from: IpAddr,
}

impl Quota {
    /// Of so many bytes.
    pub(crate) fn new(bytes: usize) -> Self {
        Self(Arc::new(Pool { bytes, taken: Mutex::default() }))
    }

    /// For a connection of `from`.
    pub(crate) fn account(&self, from: IpAddr) -> Account {
        Account(Arc::new(Holder { quota: self.clone(), from, held: Mutex::default() }))
    }

    /// One of it, where the quota is no bytes but things; `None` if none is left.
    pub(crate) fn seat(&self, from: IpAddr) -> Option<Seat> {
        self.take(from, 1).then(|| Seat { quota: self.clone(), from })
    }

    fn take(&self, from: IpAddr, bytes: usize) -> bool {
        let mut taken = lock(&self.0.taken);
        let all = taken.all + bytes;
        let theirs = taken.by_address.get(&from).unwrap_or(&0) + bytes;
        let fits = all <= self.0.bytes && (from.is_loopback() || theirs <= self.0.bytes / QUOTA_PARTS);
        if fits {
            taken.all = all;
            taken.by_address.insert(from, theirs);
        }
        fits
    }

    fn give_back(&self, from: IpAddr, bytes: usize) {
        let mut taken = lock(&self.0.taken);
        taken.all -= bytes;
        let theirs = taken.by_address.get(&from).unwrap_or(&0) - bytes;
        match theirs {
            0 => taken.by_address.remove(&from),
            _ => taken.by_address.insert(from, theirs),
        };
    }
}

impl Account {
    /// An empty share, to grow.
    pub(crate) fn share(&self) -> Share {
        Share { account: self.clone(), bytes: AtomicUsize::new(0) }
    }

    fn grow(&self, bytes: usize) -> bool {
        let Holder { quota, from, held } = self.0.as_ref();
        let mut held = lock(held);
        let more = paid(*held + bytes) - paid(*held);
        let fits = more == 0 || quota.take(*from, more);
        if fits {
            *held += bytes;
        }
        fits
    }

    fn shrink(&self, bytes: usize) {
        let Holder { quota, from, held } = self.0.as_ref();
        let mut held = lock(held);
        let less = paid(*held) - paid(*held - bytes);
        if less > 0 {
            quota.give_back(*from, less);
        }
        *held -= bytes;
    }
}

impl Share {
    /// Takes more; false if so much is not left.
    pub(crate) fn grow(&self, bytes: usize) -> bool {
        let taken = self.account.grow(bytes);
        if taken {
            self.bytes.fetch_add(bytes, Ordering::Relaxed);
        }
        taken
    }

    /// Gives some of it back.
    pub(crate) fn shrink(&self, bytes: usize) {
        self.bytes.fetch_sub(bytes, Ordering::Relaxed);
        self.account.shrink(bytes);
    }

    /// What it holds.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes.load(Ordering::Relaxed)
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.shrink(self.bytes());
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.quota.give_back(self.from, 1);
    }
}

/// What is taken from the quota for a connection that holds `bytes`.
fn paid(bytes: usize) -> usize {
    bytes.saturating_sub(SMALL_BYTES_MAX).next_multiple_of(SMALL_BYTES_MAX)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;

    const SMALL: usize = SMALL_BYTES_MAX;
    const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
    const THERE: IpAddr = IpAddr::V4(Ipv4Addr::new(203, 0, 113, 7));

    #[test]
    fn what_is_small_is_free_even_if_nothing_is_left() {
        let quota = Quota::new(4 * SMALL);
        let (greedy, modest) = (quota.account(HERE).share(), quota.account(HERE).share());
        assert!(greedy.grow(5 * SMALL) && !greedy.grow(1));
        assert!(modest.grow(SMALL) && !modest.grow(1));
        greedy.shrink(1);
        assert!(!modest.grow(1), "whole steps");
        greedy.shrink(SMALL - 1);
        assert!(modest.grow(SMALL) && !modest.grow(1));
        assert_eq!((greedy.bytes(), modest.bytes()), (4 * SMALL, 2 * SMALL));
        drop((greedy, modest));
        assert!(quota.account(HERE).share().grow(5 * SMALL));
        assert_eq!(lock(&quota.0.taken).all, 0);
        assert!(lock(&quota.0.taken).by_address.is_empty());
    }

    #[test]
    fn shares_of_an_account_are_small_together() {
        let account = Quota::new(0).account(HERE);
        let (a, b) = (account.share(), account.share());
        assert!(a.grow(SMALL - 1) && b.grow(1) && !b.grow(1));
        drop(a);
        assert!(b.grow(SMALL - 1) && !b.grow(1));
    }

    #[test]
    fn one_address_gets_a_quarter_and_loopback_all() {
        let quota = Quota::new(4 * SMALL);
        let theirs = [quota.account(THERE).share(), quota.account(THERE).share()];
        assert!(theirs[0].grow(2 * SMALL) && !theirs[0].grow(1));
        assert!(theirs[1].grow(SMALL) && !theirs[1].grow(1), "the same address");
        let own = quota.account(HERE).share();
        assert!(own.grow(4 * SMALL) && !own.grow(1));
        drop(theirs);
        assert!(own.grow(SMALL));
    }

    #[test]
    fn seats_are_given_back() {
        let quota = Quota::new(4);
        let theirs = quota.seat(THERE).expect("a quarter");
        assert!(quota.seat(THERE).is_none());
        let own: Vec<_> = std::iter::from_fn(|| quota.seat(HERE)).collect();
        assert_eq!(own.len(), 3);
        drop((theirs, own));
        assert!(quota.seat(THERE).is_some() && lock(&quota.0.taken).all == 0);
    }
}
