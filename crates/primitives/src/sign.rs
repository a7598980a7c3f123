//! What a transaction's signatures cover (`spec/ledger.md` §1.3, §2.3).

use crate::{
    Address, Coins, DepositStake, Hash, ServicePayment, Signature, SmartContract, Tx, TxInput, U256, keccak256,
};
use alloy_rlp::{Encodable, Header};

/// The two forms of the envelope around the signed bytes: an Ethereum transaction of zeros, for hardware wallets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TxWrapper {
    /// Six fields.
    V1,
    /// Nine fields, EIP-155 shape with chain id 1.
    V2,
}

/// The signed bytes of one signature, before the wrapper.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignBytes {
    inner: Vec<u8>,
}

impl SignBytes {
    /// What every signature of `tx` but a service payment's source covers: all signatures absent.
    /// For a service payment this is the **target's** form, which keeps the source's signature.
    pub fn of(chain_id: &str, tx: &Tx) -> Self {
        Self::of_unsigned(chain_id, &strip(tx))
    }

    /// What the source of a service payment signs: neither fee nor anything of the target but its address
    /// (`spec/ledger.md` §2.3).
    pub fn of_payment_source(chain_id: &str, tx: &ServicePayment) -> Self {
        let reduced = ServicePayment {
            fee: Coins::ZERO,
            source: TxInput { address: tx.source.address, coins: tx.source.coins, ..TxInput::default() },
            target: TxInput { address: tx.target.address, ..TxInput::default() },
            ..tx.clone()
        };
        Self::of_unsigned(chain_id, &Some(Tx::ServicePayment(reduced)))
    }

    fn of_unsigned(chain_id: &str, tx: &Option<Tx>) -> Self {
        let mut inner = Vec::with_capacity(256);
        chain_id.encode(&mut inner);
        if let Some(tx) = tx {
            inner.extend_from_slice(&tx.to_raw());
        }
        Self { inner }
    }

    /// The bytes that are hashed and signed.
    pub fn wrapped(&self, wrapper: TxWrapper) -> Vec<u8> {
        wrap_sign_bytes(&self.inner, wrapper)
    }
}

/// Puts `inner` into the data field of an Ethereum transaction of zeros.
pub fn wrap_sign_bytes(inner: &[u8], wrapper: TxWrapper) -> Vec<u8> {
    let mut payload = Vec::with_capacity(inner.len() + 40);
    for _nonce_gas_price_gas_limit in 0..3 {
        0u64.encode(&mut payload);
    }
    Address::ZERO.encode(&mut payload);
    U256::ZERO.encode(&mut payload);
    inner.encode(&mut payload);
    if wrapper == TxWrapper::V2 {
        1u64.encode(&mut payload);
        0u64.encode(&mut payload);
        0u64.encode(&mut payload);
    }
    in_list(&payload)
}

/// The transaction with the signatures that do not sign themselves removed. `None`: a stake deposit of a purpose that
/// does not exist signs nothing but the chain id.
fn strip(tx: &Tx) -> Option<Tx> {
    let unsigned = |input: &TxInput| TxInput { signature: Signature::none(), ..input.clone() };
    let mut tx = tx.clone();
    match &mut tx {
        Tx::Coinbase(t) => t.proposer = unsigned(&t.proposer),
        Tx::Slash(t) => t.proposer = unsigned(&t.proposer),
        Tx::Send(t) => t.inputs.iter_mut().for_each(|i| i.signature = Signature::none()),
        Tx::ReserveFund(t) => t.source = unsigned(&t.source),
        Tx::ReleaseFund(t) => t.source = unsigned(&t.source),
        Tx::ServicePayment(t) => t.target = unsigned(&t.target),
        Tx::SplitRule(t) => t.initiator = unsigned(&t.initiator),
        Tx::SmartContract(t) => t.from = unsigned(&t.from),
        Tx::DepositStake(t) => t.source = unsigned(&t.source),
        Tx::WithdrawStake(t) => t.source = unsigned(&t.source),
        Tx::StakeRewardDistribution(t) => t.holder = unsigned(&t.holder),
        // Signed inside, by Ethereum's rules ([`crate::EthereumTx::eth_sign_bytes`]).
        Tx::Ethereum(_) => {}
        Tx::DepositStakeV2(t) => {
            let source = unsigned(&t.source);
            match t.purpose {
                0 => {
                    let (fee, holder, purpose) = (t.fee, t.holder.clone(), t.purpose);
                    return Some(Tx::DepositStake(DepositStake { fee, source, holder, purpose }));
                }
                1 | 2 => t.source = source,
                _ => return None,
            }
        }
    }
    Some(tx)
}

impl SmartContract {
    /// What the signer of the Ethereum transaction behind this one signed: the nine-field legacy form (EIP-155) with the
    /// chain's number, nonce = sequence - 1 (`spec/ledger.md` §1.6).
    pub fn eth_digest(&self, chain_number: U256) -> Hash {
        keccak256(self.eth_sign_bytes(chain_number))
    }

    /// What [`Self::eth_digest`] is the digest of.
    pub fn eth_sign_bytes(&self, chain_number: U256) -> Vec<u8> {
        self.eth_rlp(&[chain_number, U256::ZERO, U256::ZERO])
    }

    /// The Ethereum transaction this one was made from, if it carries such a signature (last byte 27 or 28). Its Keccak-256 is
    /// the hash that Ethereum clients know.
    pub fn eth_raw(&self, chain_number: U256) -> Option<Vec<u8>> {
        let signature = self.from.signature.as_array()?;
        let v @ 27..=28 = signature[64] else { return None };
        let v = chain_number.wrapping_mul(U256::from(2)).wrapping_add(U256::from(8 + v));
        let scalar = |bytes: &[u8]| U256::from_be_slice(bytes);
        Some(self.eth_rlp(&[v, scalar(&signature[..32]), scalar(&signature[32..64])]))
    }

    /// `[nonce, gas price, gas limit, to, value, data, tail...]`; the zero address (creation) is the empty string.
    fn eth_rlp(&self, tail: &[U256; 3]) -> Vec<u8> {
        let mut payload = Vec::with_capacity(self.data.len() + 160);
        self.from.sequence.wrapping_sub(1).encode(&mut payload);
        self.gas_price.encode(&mut payload);
        self.gas_limit.encode(&mut payload);
        let to = if self.to.address.is_zero() { &[][..] } else { self.to.address.as_slice() };
        to.encode(&mut payload);
        self.from.coins.tfuel.encode(&mut payload);
        self.data.encode(&mut payload);
        tail.iter().for_each(|item| item.encode(&mut payload));
        in_list(&payload)
    }
}

fn in_list(payload: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(payload.len() + 9);
    Header { list: true, payload_length: payload.len() }.encode(&mut out);
    out.extend_from_slice(payload);
    out
}
