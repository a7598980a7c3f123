//! Transactions as Ethereum's clients send them, in our envelope (`spec/ledger.md` §1.6; DESIGN §4, "EVM").

use crate::{SignatureError, TxDomain, keccak256, recover};
use vigil_primitives::{
    Address, Bytes, Coins, EthereumTx, LegacyTx, RlpError, SIGNATURE_BYTES, Signature, SmartContract, TX_BYTES_MAX, Tx,
    TxInput, TxOutput, U256,
};

/// Why a raw Ethereum transaction is not taken. Texts begin with the words that Ethereum's tools know.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EthImportError {
    /// Too long, as it is or in our envelope.
    #[error("oversized data: transaction size {got}, limit {max}")]
    Oversized {
        /// In bytes.
        got: usize,
        /// [`TX_BYTES_MAX`].
        max: usize,
    },
    /// Neither legacy nor of type 1 or 2.
    #[error("transaction type not supported: {0}")]
    Type(u8),
    /// Not the one encoding of a transaction.
    #[error("rlp: {0}")]
    Rlp(RlpError),
    /// No sequence comes after it (EIP-2681).
    #[error("nonce has max value")]
    NonceMax,
    /// Signed for no chain: it would be valid on every one.
    #[error("only replay-protected (EIP-155) transactions allowed over RPC")]
    Unprotected,
    /// Signed for another chain.
    #[error("invalid chain id for signer: have {have} want {want}")]
    ChainId {
        /// In the transaction.
        have: U256,
        /// Ours.
        want: U256,
    },
    /// v of a legacy transaction names neither a chain nor a parity.
    #[error("invalid transaction v, r, s values: v is {0}")]
    V(U256),
    /// The signature recovers nobody.
    #[error("invalid sender: {0}")]
    Sender(#[from] SignatureError),
    /// A legacy transaction to the zero address, which in type 7 stands for creation.
    #[error("a legacy transaction cannot go to the zero address, which creates contracts here: send it as type 1 or 2")]
    ZeroAddress,
}

impl From<RlpError> for EthImportError {
    fn from(error: RlpError) -> Self {
        match error {
            RlpError::TooLong { got, max, .. } => Self::Oversized { got, max },
            RlpError::EthereumType(eth_type) => Self::Type(eth_type),
            RlpError::NonceMax => Self::NonceMax,
            other => Self::Rlp(other),
        }
    }
}

/// The native envelope of what a client sends with `eth_sendRawTransaction`: a legacy transaction becomes type 7, one of type
/// 1 or 2 is put into type 12. Each has one native form, and the verifying stage finds its signature right.
///
/// # Errors
/// [`EthImportError`].
pub fn import_eth(domain: &TxDomain, raw: &[u8]) -> Result<Bytes, EthImportError> {
    import_eth_for(domain.eth_number().0, raw)
}

/// [`import_eth`] for the chain of this number.
///
/// # Errors
/// [`EthImportError`].
pub fn import_eth_for(chain_number: U256, raw: &[u8]) -> Result<Bytes, EthImportError> {
    // As in EIP-2718: from 0x80 on a byte begins an item of RLP.
    let tx = match raw.first() {
        Some(0x80..) => Tx::SmartContract(of_legacy(chain_number, LegacyTx::from_raw(raw)?)?),
        _ => Tx::Ethereum(of_typed(chain_number, raw)?),
    };
    let native = tx.to_raw();
    match native.len() {
        got if got > TX_BYTES_MAX => Err(EthImportError::Oversized { got, max: TX_BYTES_MAX }),
        _ => Ok(native.into()),
    }
}

fn of_typed(chain_number: U256, raw: &[u8]) -> Result<EthereumTx, EthImportError> {
    if raw.len() > TX_BYTES_MAX {
        return Err(EthImportError::Oversized { got: raw.len(), max: TX_BYTES_MAX });
    }
    let tx = EthereumTx::from_raw(Bytes::copy_from_slice(raw))?;
    let have = tx.fields().chain_id;
    if have != chain_number {
        return Err(EthImportError::ChainId { have, want: chain_number });
    }
    eth_sender(&tx)?;
    Ok(tx)
}

fn of_legacy(chain_number: U256, tx: LegacyTx) -> Result<SmartContract, EthImportError> {
    let parity = parity(chain_number, tx.v)?;
    let LegacyTx { nonce, gas_price, gas_limit, to, value, data, r, s, .. } = tx;
    if to == Some(Address::ZERO) {
        return Err(EthImportError::ZeroAddress);
    }
    let mut native = [0; SIGNATURE_BYTES];
    native[..32].copy_from_slice(&r.to_be_bytes::<32>());
    native[32..64].copy_from_slice(&s.to_be_bytes::<32>());
    native[64] = parity;
    let mut stored = native;
    stored[64] += 27;
    let from = TxInput {
        address: Address::ZERO,
        coins: Coins::tfuel(value),
        sequence: nonce + 1,
        signature: Signature::from(stored),
    };
    let to = TxOutput { address: to.unwrap_or_default(), coins: Coins::ZERO };
    let mut tx = SmartContract { from, to, gas_limit, gas_price, data };
    tx.from.address = recover(&tx.eth_digest(chain_number), &native)?;
    Ok(tx)
}

/// The parity in v, if v names this chain: `35 + 2 * number + parity` (EIP-155).
fn parity(chain_number: U256, v: U256) -> Result<u8, EthImportError> {
    let number = |n: u64| U256::from(n);
    match v.checked_sub(number(35)) {
        Some(rest) if rest >> 1 == chain_number => Ok(u8::from(rest.bit(0))),
        Some(rest) => Err(EthImportError::ChainId { have: rest >> 1, want: chain_number }),
        None if v == number(27) || v == number(28) => Err(EthImportError::Unprotected),
        None => Err(EthImportError::V(v)),
    }
}

/// Who signed a type 12, whatever its chain.
///
/// # Errors
/// [`SignatureError`], as [`recover`].
pub fn eth_sender(tx: &EthereumTx) -> Result<Address, SignatureError> {
    recover(&keccak256(tx.eth_sign_bytes()), &tx.signature())
}

/// A transaction of a block that has been accepted, as [`crate::VerifiedTx::tx`] gave it then: decoded, and with the sender
/// that an Ethereum transaction does not name. Nothing is judged.
///
/// # Errors
/// [`RlpError`] if the bytes are no transaction.
pub fn tx_of_block(raw: &[u8]) -> Result<Tx, RlpError> {
    let mut tx = Tx::from_raw(raw)?;
    if let Tx::Ethereum(ethereum) = &mut tx
        && let Ok(sender) = eth_sender(ethereum)
    {
        ethereum.set_sender(sender);
    }
    Ok(tx)
}
