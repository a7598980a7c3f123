//! Why the node has no answer.

use vigil_primitives::Height;

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EthError {
    /// No such block.
    #[error("header not found")]
    UnknownBlock,
    /// The block is known, its state is gone.
    #[error("missing trie node: historical state of block {0:#x} is not available")]
    Pruned(Height),
    /// More logs match than [`crate::limits::LOGS_MAX`].
    #[error("query returned more than {0} results")]
    TooManyLogs(usize),
    /// Their data has more than [`crate::limits::LOG_BYTES_MAX`] bytes.
    #[error("query returned more than {0} bytes of data")]
    TooMuchLogData(usize),
    /// Anything else, with its JSON-RPC code: -32000 unless tools know another.
    #[error("{message}")]
    Other {
        /// JSON-RPC code.
        code: i32,
        /// The text.
        message: String,
    },
}

impl EthError {
    /// With code -32000.
    pub fn new(why: impl ToString) -> Self {
        Self::Other { code: -32000, message: why.to_string() }
    }
}
