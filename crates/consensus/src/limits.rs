//! Bounds of every message and buffer (`spec/consensus.md` §1.11, §4.3 REC limits).

use crate::Millis;
use vigil_primitives::{BLOCK_BYTES_MAX, Height, VALIDATORS_MAX};

/// Largest encoded vote, in bytes.
pub const VOTE_BYTES_MAX: usize = 192;
/// Largest encoded certificate, in bytes.
pub const HCC_BYTES_MAX: usize = VALIDATORS_MAX * VOTE_BYTES_MAX + 64;
/// Largest encoded `EpochChange` with its lock's certificate, in bytes.
pub const EPOCH_CHANGE_BYTES_MAX: usize = HCC_BYTES_MAX + 256;
/// Largest encoded epoch certificate, in bytes.
pub const EPOCH_CERT_BYTES_MAX: usize = VALIDATORS_MAX * EPOCH_CHANGE_BYTES_MAX + 64;
/// Largest encoded message, in bytes.
pub const MESSAGE_BYTES_MAX: usize = BLOCK_BYTES_MAX + EPOCH_CERT_BYTES_MAX + 64;

/// Blocks parked for one peer.
pub const PARKED_PER_PEER_MAX: usize = 64;
/// Blocks parked in all.
pub const PARKED_MAX: usize = 1024;
/// Bytes of transactions parked in all.
pub const PARKED_BYTES_MAX: usize = 256 * 1024 * 1024;
/// How far above the settled head a block may be, to be held or fetched, or a vote, to be remembered (2T of
/// §4.3, 4 inventories of §1.11).
pub const HEIGHT_WINDOW: Height = 200;
/// A proposal this many epochs ahead is parked without a certificate; later ones are dropped.
pub const EPOCHS_AHEAD_MAX: u64 = 2;
/// Blocks held above the settled head; beyond it old branches without a certificate are dropped.
pub const TREE_BLOCKS_MAX: usize = 2048;
/// Votes remembered of one voter; the lowest gives way. Who is not convicted has one a height, so there is room for all
/// above the settled head and 64 below. At about 250 bytes each, and as much again for those above the head: 4 MB for a
/// full committee.
pub const VOTES_PER_VOTER: usize = HEIGHT_WINDOW as usize + 64;
/// Votes, and proposals, of our own that are remembered to know them again.
pub const OWN_REMEMBERED_MAX: usize = 64;
/// Certificates held whose block is not.
pub const CERTS_UNKNOWN_MAX: usize = 256;
/// Hashes of invalid blocks remembered.
pub const INVALID_MAX: usize = 1024;
/// Signatures remembered as verified.
pub const VERIFIED_MAX: usize = 8192;
/// Blocks that are being fetched at one time.
pub const FETCHES_MAX: usize = 128;
/// Requests outstanding at one peer.
pub const FETCHES_PER_PEER_MAX: usize = 16;
/// Peers a block is asked of before it is given up (until something asks for it again).
pub const FETCH_ATTEMPTS_MAX: u32 = 8;
/// Peers remembered as able to serve blocks.
pub const PEERS_MAX: usize = 256;
/// Different blocks kept of one proposer and epoch unless certified or asked for (§1.11).
pub const PROPOSALS_PER_TURN_MAX: usize = 2;
/// Turns of proposers whose first header is remembered, to know a second one that comes late.
pub const PROPOSALS_REMEMBERED_MAX: usize = 256;
/// Validator sets known at one time: current, former, proposed.
pub const SETS_MAX: usize = 16;
/// Wall-clock seconds a block may be ahead of ours for us to vote for it (DESIGN §4).
pub const TIMESTAMP_AHEAD_MAX_SECONDS: u64 = 10;
/// Most epochs the proposer is computed ahead of the last settled block's.
pub const SCHEDULE_STEPS_MAX: u64 = 1 << 22;
/// Heights and epochs from here on are nonsense (and sums of them cannot overflow).
pub const CLOCK_MAX: u64 = 1 << 62;
/// The back-off factor, in thousandths: at start and at most (§1.5).
pub const BACKOFF_MIN: Millis = 1000;
/// See [`BACKOFF_MIN`].
pub const BACKOFF_MAX: Millis = 8000;

const _: () = assert!(PROPOSALS_PER_TURN_MAX == 2 && HEIGHT_WINDOW < TREE_BLOCKS_MAX as Height);
