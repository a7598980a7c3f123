//! What a contract sees of the ledger.

use revm::bytecode::Bytecode;
use vigil_primitives::{Address, Bytes, Hash, Height, U256};

/// An account as contracts see it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EvmAccount {
    /// Of the native coin (the operational token), in wei.
    pub balance: U256,
    /// Number of transactions it has made, or of contracts it has created.
    pub nonce: u64,
    /// Keccak-256 of its code.
    pub code_hash: Hash,
}

/// Code of a contract with its jump destinations, which are found once. Cheap to clone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Code(pub(crate) Bytecode);

impl Code {
    /// Analyses code. There are no delegations (EIP-7702): nothing makes one.
    pub fn new(code: Bytes) -> Self {
        Self(Bytecode::new_legacy(code))
    }

    /// Its bytes.
    pub fn bytes(&self) -> Bytes {
        self.0.original_bytes()
    }
}

/// A stake operation that a contract asks for (`spec/ledger.md` §9.4).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StakeOp {
    /// Stake of the stake token with a guardian; `amount` has left the source's balance already.
    DepositGuardian(Deposit),
    /// Begins the return of the source's stake with a guardian.
    WithdrawGuardian {
        /// Whose stake.
        source: Address,
        /// The guardian.
        holder: Address,
    },
    /// Stake of the native coin with an elite edge node; `amount` has left the source's balance already.
    DepositEdgeNode(Deposit),
    /// Begins the return of the source's stake with an elite edge node.
    WithdrawEdgeNode {
        /// Whose stake.
        source: Address,
        /// The edge node.
        holder: Address,
    },
}

/// Stake for a node, and what proves that the node has its key (a holder summary, `spec/cli.md` §2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deposit {
    /// Who stakes.
    pub source: Address,
    /// The node.
    pub holder: Address,
    /// In wei.
    pub amount: U256,
    /// Compressed G1 point, 48 bytes.
    pub bls_pubkey: Bytes,
    /// Proof of possession, compressed G2 point, 96 bytes.
    pub bls_pop: Bytes,
    /// The holder's signature over the proof, 65 bytes.
    pub holder_sig: Bytes,
}

/// The accounts below a transaction. Reads only, but for the stake operations, which it keeps in a stack of its own until
/// the transaction is over.
pub trait World {
    /// A failure of the store; it ends the execution and is handed to the caller.
    type Error: std::error::Error + Send + Sync + 'static;

    /// An account, `None` if there is none.
    fn account(&mut self, address: &Address) -> Result<Option<EvmAccount>, Self::Error>;

    /// The code with that hash, which an account has.
    fn code(&mut self, hash: &Hash) -> Result<Code, Self::Error>;

    /// A word of an account's storage; zero if nothing was stored.
    fn slot(&mut self, address: &Address, slot: &U256) -> Result<U256, Self::Error>;

    /// Hash of an ancestor: at most 256 blocks below the one being executed.
    fn block_hash(&mut self, height: Height) -> Result<Hash, Self::Error>;

    /// What an account has of the stake token, in wei.
    fn stake_token(&mut self, address: &Address) -> Result<U256, Self::Error>;

    /// What an account has staked with validators and guardians, in wei, after the operations of the stack.
    fn staked(&mut self, source: &Address) -> Result<U256, Self::Error>;

    /// True if the node of a deposit has registered its key, so that no proof is to be checked.
    fn is_registered(&mut self, op: &StakeOp) -> Result<bool, Self::Error>;

    /// Tries a stake operation after those of the stack, and puts it on top. False: it is not allowed, nothing changed.
    fn stake(&mut self, op: &StakeOp) -> Result<bool, Self::Error>;

    /// Takes back the operation on top of the stack.
    fn unstake(&mut self);
}

/// What a transaction leaves of an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Which account.
    pub address: Address,
    /// Its balance and nonce now.
    pub account: EvmAccount,
    /// Code that was set in this transaction.
    pub code: Option<Code>,
    /// True if it begins anew: no storage from before is left. An empty account that begins anew is kept (before EIP-161).
    pub is_created: bool,
    /// True if it destroyed itself: neither storage, nor code, nor nonce, nor balance is left.
    pub is_destroyed: bool,
    /// Words of its storage that were written, with their new values.
    pub storage: Vec<(U256, U256)>,
}

impl Change {
    /// True if nothing that contracts see of the account is left (EIP-161).
    pub fn is_empty(&self) -> bool {
        self.account.balance.is_zero()
            && self.account.nonce == 0
            && self.account.code_hash == vigil_primitives::EMPTY_CODE_HASH
    }
}
