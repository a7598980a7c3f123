//! Why a command ended without success.

use std::process::ExitCode;

/// Exit code 1 (the command failed) or 2 (it was used wrongly); the text goes to stderr.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CliError {
    /// The command was understood and could not be done.
    #[error("{0}")]
    Failed(String),
    /// A flag or its value is wrong.
    #[error("{0}")]
    Usage(String),
}

impl CliError {
    /// Exit code 1.
    pub(crate) fn failed(why: impl ToString) -> Self {
        Self::Failed(why.to_string())
    }

    /// Exit code 1, with every cause that the text does not tell already.
    pub(crate) fn caused(why: &dyn std::error::Error) -> Self {
        let mut text = why.to_string();
        let mut source = why.source();
        while let Some(cause) = source {
            let cause_text = cause.to_string();
            if !text.contains(&cause_text) {
                text = format!("{text}: {cause_text}");
            }
            source = cause.source();
        }
        Self::Failed(text)
    }

    /// Exit code 2.
    pub(crate) fn usage(why: impl ToString) -> Self {
        Self::Usage(why.to_string())
    }

    /// Failed, with what was being done: `<doing>: <why>`.
    pub(crate) fn while_doing(doing: impl std::fmt::Display) -> impl FnOnce(std::io::Error) -> Self {
        move |why| Self::Failed(format!("{doing}: {why}"))
    }

    /// The process's exit code (DESIGN §5).
    pub(crate) fn exit_code(&self) -> ExitCode {
        match self {
            Self::Failed(_) => ExitCode::from(1),
            Self::Usage(_) => ExitCode::from(2),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("making x")]
    struct Silent(#[source] std::io::Error);

    #[derive(Debug, thiserror::Error)]
    #[error("opening y: {0}")]
    struct Telling(#[source] Silent);

    #[test]
    fn each_cause_is_told_once() {
        let error = Telling(Silent(std::io::Error::other("no access")));
        assert_eq!(CliError::caused(&error).to_string(), "opening y: making x: no access");
        assert_eq!(CliError::caused(&std::io::Error::other("no access")).to_string(), "no access");
    }
}
