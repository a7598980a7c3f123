//! From raw bytes to a transaction whose signatures have been judged once.

use crate::bls;
use crate::cases::{Case, Round};
use crate::{MessageSignature, Scalar, SignatureChecker, SignedMessage, verify_digest};
use vigil_primitives::{
    Address, BlockHeader, Bytes, DepositStakeV2, Forks, Hash, Height, RlpError, Tx, U256, chain_id_number,
};

/// What signatures of a chain's transactions depend on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TxDomain {
    /// Text that every signature covers.
    pub chain_id: String,
    /// Heights of the rules.
    pub forks: Forks,
}

impl TxDomain {
    /// The chain's number in Ethereum's transactions, by its newest rules, and the first height at which they are valid.
    pub fn eth_number(&self) -> (U256, Height) {
        let of = |height| chain_id_number(&self.chain_id, height, &self.forks);
        let number = of(Height::MAX);
        let before = of(self.forks.metachain.saturating_sub(1));
        let metachain = if before == number { 0 } else { self.forks.metachain };
        (number, self.forks.rpc_compatibility.max(metachain))
    }
}

/// A transaction decoded once and verified once. Only [`verify_txs`] and [`Judging`] make one.
///
/// A bad signature is a verdict, not an error, because the ledger's result codes have an order (sequence, balance,
/// signature). Slots number the signatures: a send has one an input; a service payment source 0 and target 1; a
/// version 2 deposit source 0 and holder 1; every other type slot 0. The sender of a type 12, which it does not name, is
/// filled in if its signature is right, else zero.
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

/// Decodes an envelope strictly and judges its signatures. Many at once: [`verify_txs`].
///
/// # Errors
/// [`RlpError`] if the bytes are no transaction; never for a bad signature.
pub fn verify_tx(domain: &TxDomain, raw: Bytes) -> Result<VerifiedTx, RlpError> {
    verify_txs(&Scalar, domain, [raw]).pop().expect("one answer for one transaction")
}

/// Decodes envelopes strictly and judges their signatures, all in a few batches of `checker`, who vouches for them: first
/// every signature as it should be, then those that failed in the second form that is allowed.
///
/// A transaction with more than [`vigil_primitives::TX_ACCOUNTS_MAX`] signatures can never be applied; none of them is looked at, all
/// verdicts are false. Of a send with more than 16 inputs, the signatures after that are judged in waves, each
/// twice as long as the one before; after a wave with a bad one the others are not looked at and count as bad, so that a
/// forged send costs 32 checks and at most five more for each good signature in it. (The ledger judges inputs in order
/// and stops at the first bad one.)
///
/// # Errors
/// Of each transaction, in order: [`RlpError`] if the bytes are none; never for a bad signature.
pub fn verify_txs(
    checker: &dyn SignatureChecker,
    domain: &TxDomain,
    raws: impl IntoIterator<Item = Bytes>,
) -> Vec<Result<VerifiedTx, RlpError>> {
    let mut judging = Judging::new(domain, raws);
    while judging.questions().len() > 0 {
        let good = checker.check(&judging.questions().collect::<Vec<_>>());
        judging.answered(&good);
    }
    judging.finish(checker)
}

/// Transactions whose signatures are being judged, as [`verify_txs`] does, for those who put the questions of several lots
/// together. Round after round: what [`Self::questions`] asks is told to [`Self::answered`], until nothing is asked.
pub struct Judging {
    txs: Vec<Result<(Tx, Bytes), RlpError>>,
    /// Of those that are transactions, in order.
    cases: Vec<Case>,
    round: Round,
}

impl Judging {
    /// Decodes envelopes strictly.
    pub fn new(domain: &TxDomain, raws: impl IntoIterator<Item = Bytes>) -> Self {
        let decode = |raw: Bytes| Ok((Tx::from_raw(&raw)?, raw));
        let txs: Vec<Result<(Tx, Bytes), RlpError>> = raws.into_iter().map(decode).collect();
        let cases: Vec<Case> = txs.iter().flatten().map(|(tx, _)| Case::new(domain, tx)).collect();
        let round = Round::of(&cases);
        Self { txs, cases, round }
    }

    /// What is to be known next; nothing when all is judged.
    pub fn questions(&self) -> impl ExactSizeIterator<Item = SignedMessage<'_>> {
        self.round.questions()
    }

    /// The answers, in the order of the questions, as a [`SignatureChecker`] gives them, for whom the caller vouches.
    ///
    /// # Panics
    /// If there are not as many.
    pub fn answered(&mut self, good: &[bool]) {
        std::mem::take(&mut self.round).answered(&mut self.cases, good);
        self.round = Round::of(&self.cases);
    }

    /// What [`verify_txs`] gives. `checker` hashes, and finds the senders of Ethereum's transactions.
    ///
    /// # Panics
    /// If something is still asked.
    pub fn finish(mut self, checker: &dyn SignatureChecker) -> Vec<Result<VerifiedTx, RlpError>> {
        assert_eq!(self.questions().len(), 0, "all is judged");
        self.find_senders(checker);
        let raws: Vec<&[u8]> = self.txs.iter().flatten().map(|(_, raw)| raw.as_ref()).collect();
        let mut judged = self.cases.iter().map(Case::verdicts).zip(checker.keccak256(&raws));
        let finish = |decoded: Result<(Tx, Bytes), RlpError>| {
            let (tx, raw) = decoded?;
            let (verdicts, hash): (Box<[_]>, Hash) = judged.next().expect("a verdict for each transaction");
            // A pairing is dear: not for what nobody signed.
            let signed = verdicts.iter().all(Option::is_some);
            let pop_valid = matches!(&tx, Tx::DepositStakeV2(t) if signed && proves_possession(t));
            Ok(VerifiedTx { tx, raw, hash, verdicts, pop_valid })
        };
        self.txs.into_iter().map(finish).collect()
    }

    fn find_senders(&mut self, checker: &dyn SignatureChecker) {
        let unnamed: Vec<MessageSignature<'_>> = self.cases.iter().filter_map(Case::unnamed).collect();
        if unnamed.is_empty() {
            return;
        }
        let mut senders: std::vec::IntoIter<Option<Address>> = checker.recover(&unnamed).into_iter();
        for (case, (tx, _)) in self.cases.iter_mut().zip(self.txs.iter_mut().flatten()) {
            if case.unnamed().is_some()
                && let Some(sender) = senders.next().expect("an answer for each signature")
                && let Tx::Ethereum(ethereum) = tx
            {
                ethereum.set_sender(sender);
                case.signed_by_somebody();
            }
        }
    }
}

/// True if the header's proposer signed it.
pub fn verify_header(header: &BlockHeader) -> bool {
    verify_digest(&header.proposer, &header.sign_digest(), &header.signature)
}

fn proves_possession(tx: &DepositStakeV2) -> bool {
    let key = bls::PublicKey::from_bytes(&tx.bls_pubkey);
    let proof = bls::Signature::from_bytes(&tx.bls_pop);
    matches!((key, proof), (Ok(key), Ok(proof)) if key.verify_possession(&proof))
}
