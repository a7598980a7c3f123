//! What can be seen from outside: for invariants, status and metrics. Plain copies.

use vigil_primitives::{Epoch, Hash, Height};

/// The state of a machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct View {
    /// Current epoch.
    pub epoch: Epoch,
    /// Back-off factor k, in thousandths.
    pub backoff: u64,
    /// Set index, height and hash of the lock.
    pub lock: (u64, Height, Hash),
    /// Height, epoch and hash of the last vote.
    pub last_vote: Option<(Height, Epoch, Hash)>,
    /// Target of our latest `EpochChange`; 0: none.
    pub own_ec: Epoch,
    /// The settled head.
    pub settled: (Height, Hash),
    /// Set index, height and hash of the highest certificate whose block is held and executed.
    pub high_cert: (u64, Height, Hash),
    /// Height of the highest certificate known, its block held or not: above `settled` by much, we are behind.
    pub seen_height: Height,
    /// True if an epoch certificate is held (false: not yet one since the restart).
    pub has_epoch_cert: bool,
    /// True after [`crate::Effect::Halted`].
    pub halted: bool,
    /// Sizes of the buffers.
    pub buffered: Buffered,
}

/// Sizes of the buffers, each with a bound in this crate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Buffered {
    /// Blocks above the settled head.
    pub blocks: usize,
    /// Blocks that wait for a parent or an epoch.
    pub parked: usize,
    /// Votes.
    pub votes: usize,
    /// `EpochChange`s.
    pub ecs: usize,
    /// Certificates.
    pub certs: usize,
    /// Blocks being fetched.
    pub fetching: usize,
}
