//! Who judges transactions, and what a refusal says.

use vigil_crypto::VerifiedTx;
use vigil_ledger::{ApplyError, State};
use vigil_primitives::{Address, Height, Tx, U256};

/// Why a transaction is not accepted. The text is what RPC clients see.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refused {
    /// The same bytes are pending or were accepted a short while ago.
    #[error("Transaction already seen")]
    Seen,
    /// The ledger refuses it.
    #[error("{text}")]
    Screened {
        /// Result code (`spec/rpc.md` §4.7).
        code: u32,
        /// In the reference's words.
        text: String,
    },
    /// The pool has no room, and nothing in it pays less.
    #[error(
        "mempool is full: {what} would be {got}, the limit is {max}. This one pays {price} per gas; more than {floor} \
         takes the place of another"
    )]
    Underbid {
        /// `transactions` or `bytes`.
        what: &'static str,
        /// With this transaction.
        got: usize,
        /// The limit.
        max: usize,
        /// Offered, in wei for a unit of gas.
        price: U256,
        /// What the cheapest pays that could leave.
        floor: U256,
    },
    /// The pool has no room, and too little of what is cheaper could leave.
    #[error("mempool is full: {what} would be {got}, the limit is {max}")]
    Full {
        /// `transactions`, `bytes` or `transactions of the account`.
        what: &'static str,
        /// With this transaction.
        got: usize,
        /// The limit.
        max: usize,
    },
    /// Another transaction of that account and sequence is pending and pays about as much.
    #[error("replacement of {pending} pays {got} per gas, at least {percent} % of {price} is needed")]
    Underpriced {
        /// The pending one.
        pending: vigil_primitives::Hash,
        /// Offered, in wei for a unit of gas.
        got: U256,
        /// What the pending one pays.
        price: U256,
        /// Of that price.
        percent: u64,
    },
    /// It was pending; another took its place in a full pool.
    #[error(
        "dropped from the mempool, which is full: another that pays {better} per gas took its place. A block that holds it \
         already may still settle it"
    )]
    Evicted {
        /// What the other offers, in wei for a unit of gas.
        better: U256,
    },
    /// It was pending; another of the same account and sequence replaced it.
    #[error("replaced by {by}, which pays more. A block that holds it already may still settle it")]
    Replaced {
        /// The other.
        by: vigil_primitives::Hash,
    },
    /// It was pending for too long.
    #[error("dropped from the mempool: in no block for {seconds} s")]
    Expired {
        /// For how long it was pending.
        seconds: u64,
    },
    /// A slash transaction against the same offender is pending.
    #[error("{offender} is accused by {pending} already")]
    Reported {
        /// The accused.
        offender: Address,
        /// The pending one.
        pending: vigil_primitives::Hash,
    },
    /// A slash transaction that would have to wait for others of its reporter.
    #[error("a report must be the next transaction of {reporter}, but that of sequence {pending} is pending")]
    NotNext {
        /// Who reports.
        reporter: Address,
        /// Sequence of the first pending one.
        pending: u64,
    },
    /// A slash transaction of somebody who sent forged evidence a short while ago.
    #[error("{reporter} sent forged evidence within the last {seconds} s")]
    Liar {
        /// Who reports.
        reporter: Address,
        /// For how long it is not believed.
        seconds: u64,
    },
    /// Too much evidence whose signatures are dear to check: this one was not looked at.
    #[error("too much evidence waits to be checked; send it again in a few seconds")]
    Busy,
    /// Ours: the state could not be read.
    #[error("internal error: {0}")]
    Internal(String),
}

impl Refused {
    /// True if the ledger found a signature wrong: of the transaction, or in the evidence that it carries.
    pub fn is_bad_signature(&self) -> bool {
        self.code() == vigil_ledger::code::INVALID_SIGNATURE
    }

    /// The result code that scripts know: the ledger's, or the generic one.
    pub fn code(&self) -> u32 {
        match self {
            Self::Screened { code, .. } => *code,
            _ => vigil_ledger::code::GENERIC,
        }
    }
}

/// Judges pending transactions on a settled state.
pub trait Screen {
    /// What is settled.
    type Base;

    /// Judges a transaction after those accepted before; if it is good, what it takes counts from now on.
    ///
    /// # Errors
    /// [`Refused::Screened`] or [`Refused::Internal`]; nothing has changed then.
    fn check_and_apply(&mut self, tx: &VerifiedTx) -> Result<(), Refused>;

    /// Forgets what pending transactions took from an account.
    fn forget(&mut self, address: &Address);

    /// Goes on to a newer settled state; what was taken stays taken.
    fn settle(&mut self, base: Self::Base);

    /// What ranks a transaction: wei for a unit of gas.
    fn price(&self, tx: &Tx) -> U256;
}

/// A settled state and the height of its block.
#[derive(Clone, Debug)]
pub struct Base {
    /// The state after the block.
    pub state: State,
    /// Of the block.
    pub height: Height,
}

impl Screen for vigil_ledger::Screen {
    type Base = Base;

    fn check_and_apply(&mut self, tx: &VerifiedTx) -> Result<(), Refused> {
        Self::check_and_apply(self, tx).map_err(|error| match error {
            ApplyError::Refused(error) => Refused::Screened { code: error.code, text: error.text },
            ApplyError::State(error) => Refused::Internal(error.to_string()),
        })
    }

    fn forget(&mut self, address: &Address) {
        Self::forget(self, address);
    }

    fn settle(&mut self, base: Base) {
        Self::settle(self, base.state, base.height);
    }

    fn price(&self, tx: &Tx) -> U256 {
        self.effective_gas_price(tx)
    }
}
