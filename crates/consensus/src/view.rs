//! What can be seen from outside: for invariants, status and metrics. Plain copies.

use crate::limits::*;
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

/// Sizes of the buffers, each with a bound of its own: [`Buffered::most`].
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

impl Buffered {
    /// The most that each can be, where the validator sets known at one time have `voters` different members and there
    /// are `peers` connections.
    pub fn most(voters: usize, peers: usize) -> Self {
        Self {
            blocks: TREE_BLOCKS_MAX,
            parked: PARKED_MAX.min(peers * PARKED_PER_PEER_MAX),
            votes: voters * VOTES_PER_VOTER,
            ecs: voters,
            // of blocks that are held, of the settled head, and of blocks that are not held
            certs: TREE_BLOCKS_MAX + 1 + CERTS_UNKNOWN_MAX,
            fetching: FETCHES_MAX,
        }
    }
}
