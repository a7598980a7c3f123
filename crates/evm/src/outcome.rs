//! What running a transaction gives.

use crate::world::Change;
use revm::context::result::{HaltReason, InvalidTransaction, OutOfGasError};
use vigil_primitives::{Address, Bytes, U256};

pub use revm::primitives::Log;

/// A transaction that was executed, whether it succeeded or not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Executed {
    /// How it ended.
    pub status: Status,
    /// Gas to pay for.
    pub gas_used: u64,
    /// Gas given back for storage that was cleared; `gas_used` is without it.
    pub gas_refunded: u64,
    /// Logs, in order; none unless it succeeded.
    pub logs: Vec<Log>,
    /// What it returned: of a creation the code, of a revert its data.
    pub output: Bytes,
    /// The account that a creation made.
    pub created: Option<Address>,
    /// Accounts that it touched, in no order, with what is left of them. The sender's fee is paid.
    pub changes: Vec<Change>,
    /// Accounts whose stake token balance it wrote, with the new balance in wei.
    pub stake_tokens: Vec<(Address, U256)>,
}

/// How an execution ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Status {
    /// As it should.
    Success,
    /// By REVERT: the gas that was left is not paid for.
    Reverted,
    /// By a fault; it takes all gas.
    Halted(Halt),
}

impl Status {
    /// True for [`Self::Success`].
    pub fn is_success(&self) -> bool {
        *self == Self::Success
    }
}

/// A fault that ends an execution, in the words of the reference (`spec/ledger.md` §9.5) and of Ethereum's tools.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Halt {
    /// For receipts and `theta.CallSmartContract`.
    pub theta: String,
    /// For the Ethereum side of the RPC.
    pub ethereum: String,
}

impl From<HaltReason> for Halt {
    fn from(reason: HaltReason) -> Self {
        let both = |text: &str| Self { theta: text.to_owned(), ethereum: text.to_owned() };
        let two = |theta: &str, ethereum: &str| Self { theta: theta.to_owned(), ethereum: ethereum.to_owned() };
        match reason {
            HaltReason::OutOfGas(OutOfGasError::MemoryLimit) => both("out of gas: more memory than a call may use"),
            HaltReason::OutOfGas(OutOfGasError::InvalidOperand) => both("gas uint64 overflow"),
            HaltReason::OutOfGas(_) => both("out of gas"),
            HaltReason::OpcodeNotFound | HaltReason::NotActivated => both("invalid opcode"),
            HaltReason::InvalidFEOpcode => two("invalid opcode 0xfe", "invalid opcode: INVALID"),
            HaltReason::InvalidJump => both("invalid jump destination"),
            HaltReason::StackUnderflow => both("stack underflow"),
            HaltReason::StackOverflow => both("stack limit reached 1024 (1023)"),
            HaltReason::OutOfOffset => two("evm: return data out of bounds", "return data out of bounds"),
            HaltReason::CreateCollision => both("contract address collision"),
            HaltReason::PrecompileErrorWithContext(text) => both(&text),
            HaltReason::NonceOverflow => both("nonce uint64 overflow"),
            HaltReason::CreateContractSizeLimit => two("evm: max code size exceeded", "max code size exceeded"),
            HaltReason::CreateContractStartingWithEF => both("invalid code: must not begin with 0xef"),
            HaltReason::CreateInitCodeSizeLimit => two("evm: max initcode size exceeded", "max initcode size exceeded"),
            HaltReason::StateChangeDuringStaticCall | HaltReason::CallNotAllowedInsideStatic => {
                two("evm: write protection", "write protection")
            }
            HaltReason::OutOfFunds => both("insufficient balance for transfer"),
            HaltReason::CallTooDeep => both("max call depth exceeded"),
            other => both(&other.to_string()),
        }
    }
}

/// Why a transaction was not executed.
#[derive(Debug, thiserror::Error)]
pub enum Failure<E: std::error::Error> {
    /// It can be in no block.
    #[error(transparent)]
    Invalid(Invalid),
    /// A simulated execution passed its limits, and why.
    #[error("{0}")]
    Stopped(String),
    /// The world failed.
    #[error(transparent)]
    World(E),
}

impl<E: std::error::Error> Failure<E> {
    /// The same with the world's own error, where it has one.
    pub(crate) fn of_world<W: std::error::Error>(self, error: Option<W>) -> Failure<W> {
        match (error, self) {
            (Some(error), _) => Failure::World(error),
            (None, Self::Invalid(invalid)) => Failure::Invalid(invalid),
            (None, Self::Stopped(why)) => Failure::Stopped(why),
            (None, Self::World(error)) => Failure::Stopped(error.to_string()),
        }
    }
}

/// Why a transaction can be in no block, in the words of Ethereum's tools.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Invalid {
    /// Its gas limit does not pay for its bytes.
    #[error("intrinsic gas too low: have {limit}, want {want}")]
    IntrinsicGas {
        /// Its gas limit.
        limit: u64,
        /// What it needs at least.
        want: u64,
    },
    /// The sender cannot pay for gas and value.
    #[error("insufficient funds for gas * price + value: balance {balance}, tx cost {cost}")]
    Funds {
        /// Of the sender, in wei.
        balance: U256,
        /// Gas limit times price, and the value, in wei.
        cost: U256,
    },
    /// The creation code is too long (EIP-3860).
    #[error("max initcode size exceeded")]
    InitCodeSize,
    /// It offers less than the base fee.
    #[error("max fee per gas less than block base fee")]
    BaseFee,
    /// It offers a larger tip than it would pay in all.
    #[error("max priority fee per gas higher than max fee per gas")]
    Tip,
    /// Its gas limit is above that of a transaction.
    #[error("exceeds maximum per-transaction gas limit: have {have}, cap {cap}")]
    GasLimit {
        /// Its gas limit.
        have: u64,
        /// The limit.
        cap: u64,
    },
    /// Its kind does not exist under the chain's rules.
    #[error("transaction type not supported")]
    Kind,
    /// Something else.
    #[error("{0}")]
    Other(String),
}

impl From<InvalidTransaction> for Invalid {
    fn from(invalid: InvalidTransaction) -> Self {
        match invalid {
            InvalidTransaction::CallGasCostMoreThanGasLimit { gas_limit, initial_gas } => {
                Self::IntrinsicGas { limit: gas_limit, want: initial_gas }
            }
            InvalidTransaction::GasFloorMoreThanGasLimit { gas_floor, gas_limit } => {
                Self::IntrinsicGas { limit: gas_limit, want: gas_floor }
            }
            InvalidTransaction::LackOfFundForMaxFee { fee, balance } => Self::Funds { balance: *balance, cost: *fee },
            InvalidTransaction::CreateInitCodeSizeLimit => Self::InitCodeSize,
            InvalidTransaction::GasPriceLessThanBasefee => Self::BaseFee,
            InvalidTransaction::PriorityFeeGreaterThanMaxFee => Self::Tip,
            InvalidTransaction::TxGasLimitGreaterThanCap { gas_limit, cap } => Self::GasLimit { have: gas_limit, cap },
            InvalidTransaction::Eip2930NotSupported
            | InvalidTransaction::Eip1559NotSupported
            | InvalidTransaction::Eip4844NotSupported
            | InvalidTransaction::Eip7702NotSupported => Self::Kind,
            other => Self::Other(other.to_string()),
        }
    }
}
