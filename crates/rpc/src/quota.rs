//! Bytes that all requests together may hold: the limits of one request, times the connections, are more than a node has.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// What is left, shared by all who take from it.
#[derive(Clone, Debug)]
pub(crate) struct Quota(Arc<AtomicUsize>);

/// A part of a quota; given back when dropped.
#[derive(Debug)]
pub(crate) struct Share {
    quota: Quota,
    bytes: AtomicUsize,
}

impl Quota {
    /// Of so many bytes.
    pub(crate) fn new(bytes: usize) -> Self {
        Self(Arc::new(AtomicUsize::new(bytes)))
    }

    /// An empty share, to grow.
    pub(crate) fn share(&self) -> Share {
        Share { quota: self.clone(), bytes: AtomicUsize::new(0) }
    }
}

impl Share {
    /// Takes more; false if so much is not left.
    pub(crate) fn grow(&self, bytes: usize) -> bool {
        let left = &self.quota.0;
        let taken = left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(bytes)).is_ok();
        if taken {
            self.bytes.fetch_add(bytes, Ordering::Relaxed);
        }
        taken
    }

    /// Gives some of it back.
    pub(crate) fn shrink(&self, bytes: usize) {
        self.bytes.fetch_sub(bytes, Ordering::Relaxed);
        self.quota.0.fetch_add(bytes, Ordering::Relaxed);
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_add_up_and_come_back() {
        let quota = Quota::new(10);
        let (a, b) = (quota.share(), quota.share());
        assert!(a.grow(6) && b.grow(4) && !a.grow(1));
        a.shrink(1);
        assert!(b.grow(1) && !b.grow(1));
        assert_eq!((a.bytes(), b.bytes()), (5, 5));
        drop(a);
        assert!(b.grow(5) && !b.grow(1));
        drop(b);
        assert!(quota.share().grow(10));
    }
}
