//! Limits of the surface (DESIGN §6), with names; each is tested at, below and above.

use std::time::Duration;

/// Largest request body or WebSocket message, in bytes.
pub const BODY_BYTES_MAX: usize = 5 * 1024 * 1024;
/// Largest frame of a WebSocket, in bytes: a socket's buffer may stay as large. Longer messages come in several.
pub const FRAME_BYTES_MAX: usize = 1024 * 1024;
/// Most requests in a batch.
pub const BATCH_MAX: usize = 1_000;
/// Largest answer, in bytes; for a batch the sum of its answers.
pub const RESPONSE_BYTES_MAX: usize = 25 * 1024 * 1024;
/// What a connection may hold without taking from what all share, in bytes of bodies and in bytes of answers.
pub const SMALL_BYTES_MAX: usize = 64 * 1024;
/// One IP address other than loopback gets one of so many parts of what all share.
pub const QUOTA_PARTS: usize = 4;
/// Bodies of all requests together that are held at once, in bytes, small ones aside; for more, HTTP 503.
pub const BODIES_BYTES_MAX: usize = 128 * 1024 * 1024;
/// Answers to all requests together that are held at once, in bytes, small ones aside, those included that clients are
/// slow to read; for more, an error.
pub const RESPONSES_BYTES_MAX: usize = 256 * 1024 * 1024;
/// Longest method name and longest id, in bytes.
pub const NAME_BYTES_MAX: usize = 1024;
/// What is read of a method name, in bytes: more than any method has, and errors repeat it.
pub const METHOD_BYTES_MAX: usize = 64;
/// Longest text of an error, in characters: some repeat what was sent.
pub const ERROR_CHARS_MAX: usize = 1024;
/// Deepest nesting of arrays and objects in a request.
pub const NESTING_MAX: usize = 128;
/// Most requests of one WebSocket that are worked on at once; more wait unread.
pub const WS_IN_FLIGHT_MAX: usize = 64;
/// Most blocks of one range.
pub const RANGE_BLOCKS_MAX: u64 = 5_000;
/// Ranges above this many blocks are heavy.
pub const HEAVY_RANGE_BLOCKS: u64 = 500;
/// Most heavy ranges at once.
pub const HEAVY_RANGES_MAX: usize = 30;
/// Most hashes of a trace.
pub const TRACE_BLOCKS_MAX: usize = 10_000;
/// Most peer addresses in an answer.
pub const PEER_URLS_MAX: usize = 256;
/// By default a request, its body included, must be answered within this.
pub const REQUEST_TIME_MAX: Duration = Duration::from_secs(60);
/// How much earlier than the request's limit a blocking broadcast gives up, so that its own text reaches the client.
pub(crate) const BROADCAST_WAIT_MARGIN: Duration = Duration::from_millis(500);

/// Most blocks of one `eth_getLogs`.
pub const LOG_BLOCKS_MAX: u64 = 10_000;
/// Most entries of an answer to `eth_getLogs`.
pub const LOGS_MAX: usize = 20_000;
/// Most bytes of their data: more than the gas of a block buys.
pub const LOG_BYTES_MAX: usize = 8 * 1024 * 1024;
/// Most addresses and topics of a filter of logs, all positions together.
pub const FILTER_VALUES_MAX: usize = 1_000;
/// Filters and subscriptions together; one IP address other than loopback gets one of [`QUOTA_PARTS`] parts.
pub const FILTERS_MAX: usize = 1_000;
/// A filter that nobody asks for this long is uninstalled.
pub const FILTER_IDLE_MAX: Duration = Duration::from_secs(300);
/// Most subscriptions of one WebSocket.
pub const SUBSCRIPTIONS_MAX: usize = 64;
/// Most blocks of one `eth_feeHistory`; for more, the newest.
pub const FEE_BLOCKS_MAX: u64 = 1_024;
/// The same where percentiles of rewards are wanted: each takes a whole block.
pub const REWARD_BLOCKS_MAX: u64 = 128;
/// Most percentiles of one `eth_feeHistory`.
pub const PERCENTILES_MAX: usize = 100;
/// Ranges of blocks that the Ethereum side reads at once (logs, fees); others wait.
pub const HEAVY_READS_MAX: usize = 16;
/// Whole blocks that the Ethereum side reads at once, subscriptions aside; other requests wait.
pub const BLOCK_READS_MAX: usize = 32;
/// Requests for the content of the mempool that are worked on at once; others wait.
pub const POOL_READS_MAX: usize = 2;
/// How long a call, an estimate or a trace may run; the node keeps it.
pub const CALL_TIME_MAX: Duration = Duration::from_secs(5);
