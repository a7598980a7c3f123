//! From raw bytes to a transaction whose signatures have been judged once.

use crate::bls;
use crate::sign::{Payload, holder_digest, inputs};
use crate::{keccak256, recover_eth, verify_digest};
use vigil_primitives::{
    BlockHeader, Bytes, DepositStakeV2, Forks, Hash, Height, RlpError, SmartContract, TX_ACCOUNTS_MAX, Tx, TxInput,
    TxWrapper, chain_id_number,
};

/// What signatures of a chain's transactions depend on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TxDomain {
    /// Text that every signature covers.
    pub chain_id: String,
    /// Heights of the rules.
    pub forks: Forks,
}

/// A transaction decoded once and verified once. Only [`verify_tx`] makes one.
///
/// A bad signature is a verdict, not an error, because the ledger's result codes have an order (sequence, balance,
/// signature). Slots number the signatures: a send has one an input; a service payment source 0 and target 1; a
/// version 2 deposit source 0 and holder 1; every other type slot 0.
#[derive(Clone, Debug)]
pub struct VerifiedTx {
    tx: Tx,
    raw: Bytes,
    hash: Hash,
    /// Per slot, the first height at which the signature is valid.
    verdicts: Box<[Option<Height>]>,
    pop_valid: bool,
}

impl VerifiedTx {
    /// The transaction.
    pub fn tx(&self) -> &Tx {
        &self.tx
    }

    /// Its envelope, as received.
    pub fn raw(&self) -> &Bytes {
        &self.raw
    }

    /// Keccak-256 of the envelope.
    pub fn hash(&self) -> Hash {
        self.hash
    }

    /// Number of signatures.
    pub fn slots(&self) -> usize {
        self.verdicts.len()
    }

    /// True if the signature in `slot` is right under the chain's newest rules; false if there is no such slot.
    pub fn valid(&self, slot: usize) -> bool {
        self.verdicts.get(slot).copied().flatten().is_some()
    }

    /// True if the signature in `slot` is right in a block of `height` (wrapper and Ethereum forms are allowed from
    /// fork heights on).
    pub fn valid_at(&self, slot: usize, height: Height) -> bool {
        self.verdicts.get(slot).copied().flatten().is_some_and(|from| height >= from)
    }

    /// True if every signature that is always needed is right. The holder's part of a version 2 deposit is not: it
    /// matters only for a holder without a registered key, which the ledger knows ([`Self::holder_valid`]).
    pub fn all_valid(&self) -> bool {
        let always = if matches!(self.tx, Tx::DepositStakeV2(_)) { 1 } else { self.slots() };
        (0..always).all(|slot| self.valid(slot))
    }

    /// True if this is a version 2 deposit whose holder signed its proof of possession (slot 1).
    pub fn holder_valid(&self) -> bool {
        matches!(self.tx, Tx::DepositStakeV2(_)) && self.valid(1)
    }

    /// True if this is a version 2 deposit, signed by source and holder, whose BLS key is a valid point that proves
    /// possession.
    pub fn pop_valid(&self) -> bool {
        self.pop_valid
    }
}

/// Decodes an envelope strictly and judges its signatures.
///
/// A transaction with more than [`TX_ACCOUNTS_MAX`] signatures can never be applied; none of them is looked at, all
/// verdicts are false.
///
/// # Errors
/// [`RlpError`] if the bytes are no transaction; never for a bad signature.
pub fn verify_tx(domain: &TxDomain, raw: Bytes) -> Result<VerifiedTx, RlpError> {
    let tx = Tx::from_raw(&raw)?;
    let hash = keccak256(&raw);
    let verdicts: Box<[Option<Height>]> = verdicts(domain, &tx).into();
    // A pairing is dear: not for what nobody signed.
    let signed = verdicts.iter().all(Option::is_some);
    let pop_valid = matches!(&tx, Tx::DepositStakeV2(t) if signed && proves_possession(t));
    Ok(VerifiedTx { tx, raw, hash, verdicts, pop_valid })
}

/// True if the header's proposer signed it.
pub fn verify_header(header: &BlockHeader) -> bool {
    verify_digest(&header.proposer, &header.sign_digest(), &header.signature)
}

fn verdicts(domain: &TxDomain, tx: &Tx) -> Vec<Option<Height>> {
    let inputs = inputs(tx);
    if inputs.len() > TX_ACCOUNTS_MAX {
        return vec![None; inputs.len()];
    }
    let id = domain.chain_id.as_str();
    let v2_from = Some(domain.forks.tx_wrapper_extension);
    let payload = Payload::new(id, tx, 0);
    match tx {
        Tx::Coinbase(_) | Tx::Slash(_) => vec![of_input(&payload, inputs[0], None)],
        Tx::ServicePayment(_) => {
            let target = Payload::new(id, tx, 1);
            vec![of_input(&payload, inputs[0], None), of_input(&target, inputs[1], None)]
        }
        Tx::DepositStakeV2(t) => {
            let holder = verify_digest(&t.holder.address, &holder_digest(t), &t.holder_sig);
            vec![of_input(&payload, inputs[0], v2_from), holder.then_some(0)]
        }
        Tx::SmartContract(t) => {
            vec![of_input(&payload, inputs[0], v2_from).or_else(|| of_ethereum(domain, t))]
        }
        _ => inputs.into_iter().map(|input| of_input(&payload, input, v2_from)).collect(),
    }
}

/// The six-field wrapper, then the nine-field one where it is allowed.
fn of_input(payload: &Payload, input: &TxInput, v2_from: Option<Height>) -> Option<Height> {
    let valid = |wrapper| verify_digest(&input.address, &payload.digest(wrapper), &input.signature);
    if input.signature.as_array().is_none_or(|sig| sig[64] > 1) {
        return None;
    }
    if valid(TxWrapper::V1) { Some(0) } else { v2_from.filter(|_| valid(TxWrapper::V2)) }
}

/// A contract transaction may carry the signature of an Ethereum one (`spec/ledger.md` §1.6). The chain's number is
/// that of its newest rules.
fn of_ethereum(domain: &TxDomain, tx: &SmartContract) -> Option<Height> {
    let newest = Height::MAX;
    let number = chain_id_number(&domain.chain_id, newest, &domain.forks);
    let signature = tx.from.signature.as_array()?;
    if !tx.from.coins.theta.is_zero() || recover_eth(&tx.eth_digest(number), signature) != Ok(tx.from.address) {
        return None;
    }
    let before = chain_id_number(&domain.chain_id, domain.forks.metachain.saturating_sub(1), &domain.forks);
    let metachain = if before == number { 0 } else { domain.forks.metachain };
    Some(domain.forks.rpc_compatibility.max(metachain))
}

fn proves_possession(tx: &DepositStakeV2) -> bool {
    let key = bls::PublicKey::from_bytes(&tx.bls_pubkey);
    let proof = bls::Signature::from_bytes(&tx.bls_pop);
    matches!((key, proof), (Ok(key), Ok(proof)) if key.verify_possession(&proof))
}
