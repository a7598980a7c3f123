//! Errors a client sees.

/// Why the node refuses or cannot answer. The text reaches the client as it is, with code -32000.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct BackendError(pub String);

impl BackendError {
    /// From any text or error.
    pub fn new(why: impl ToString) -> Self {
        Self(why.to_string())
    }
}
