//! Values and wire bytes of the ledger.
//!
//! Everything that crosses the wire or enters a hash is defined here: [`Address`], [`type@Hash`], [`Coins`],
//! [`Tx`], [`Block`], [`Vote`], [`Account`], stake pools and [`Genesis`], with strict RLP and sign bytes.
//! Facts are in `spec/ledger.md`; where a rule is ours rather than the reference's, the item says so.
//!
//! What is deliberately not here: no signature is made or checked, nothing is stored, nothing is executed.
#![forbid(unsafe_code)]

mod account;
mod amount;
mod block;
mod coins;
mod evidence;
mod finality;
mod genesis;
mod limits;
mod receipt;
mod reset;
pub mod rlp;
mod sign;
mod stake;
mod tx;
mod vote;

pub use account::{Account, EMPTY_CODE_HASH, ReservedFund, SplitRule, TransferRecord};
pub use alloy_primitives::{Address, B256 as Hash, Bloom, Bytes, U256, keccak256};
pub use amount::{AmountError, parse_amount};
pub use block::{Block, BlockHeader, EMPTY_TRIE_ROOT, Hcc};
pub use coins::{Coins, CoinsError};
pub use evidence::{EVIDENCE_BYTES_MAX, Evidence, EvidenceError};
pub use finality::{
    AGGREGATED_VOTES_BYTES_MAX, AggregatedVotes, BlsKeyBytes, BlsSignatureBytes, Checkpoint, FinalityCert,
    GUARDIAN_WEIGHT_MAX, GuardianMember, GuardianSet,
};
pub use genesis::{
    ChainParams, EVM_FORKS, Forks, Genesis, GenesisAccount, GenesisError, GenesisGuardian, GenesisStake,
    chain_id_number,
};
pub use limits::*;
pub use receipt::{BalanceChange, Receipt};
pub use reset::{
    OFFENCES_BYTES_MAX, OFFENDERS_MAX, Offences, RESET_VOTES_BYTES_MAX, Reset, ResetCert, ResetVotes, committee_hash,
};
pub use rlp::RlpError;
pub use sign::{SignBytes, TxWrapper, wrap_sign_bytes};
pub use stake::{
    ACTIVE_RETURN_HEIGHT, EdgeNode, Guardian, GuardianPool, RewardDistribution, Stake, StakeHolder, StakePurpose,
    ValidatorPool,
};
pub use tx::{
    AccessListItem, Coinbase, ContractCall, DepositStake, DepositStakeV2, EthereumFields, EthereumTx, LegacyTx,
    ReleaseFund, ReserveFund, Send, ServicePayment, Signature, Slash, SmartContract, Split, SplitRuleTx,
    StakeRewardDistribution, Tx, TxInput, TxOutput, TxType, WithdrawStake,
};
pub use vote::{SignDomain, Vote, VoteBody};

/// Number of a block in its chain; genesis is 0.
pub type Height = u64;
/// The consensus clock: one proposer a tick. Strictly increasing along a chain; genesis is 0.
pub type Epoch = u64;
