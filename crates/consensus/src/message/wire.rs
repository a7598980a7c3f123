//! The wire form of messages: one byte of kind, then strict RLP.

use super::{EpochCert, EpochChange, Message, Proposal};
use crate::limits::*;
use alloy_rlp::{RlpDecodable, RlpEncodable};
use std::collections::BTreeMap;
use std::sync::Arc;
use vigil_primitives::{
    Address, BLOCK_BYTES_MAX, BLOCK_TXS_MAX, Block, Epoch, Hash, Hcc, Height, RlpError, SIGNATURE_BYTES, Signature,
    VALIDATORS_MAX, Vote, rlp,
};

impl Message {
    /// The encoding.
    pub fn encode(&self) -> Vec<u8> {
        let (kind, body) = match self {
            Self::Vote(vote) => (1, rlp::encode(vote)),
            Self::EpochChange(change) => (2, rlp::encode(&WireSignedChange::from(change))),
            Self::Proposal(proposal) => (3, encode_proposal(proposal)),
            Self::EpochCert(cert) => (4, rlp::encode(&WireCert::from(cert))),
            Self::CertReq(hash) => (5, rlp::encode(hash)),
            Self::Certificate(hcc) => (6, rlp::encode(hcc.as_ref())),
            Self::BlockReq(hash) => (7, rlp::encode(hash)),
            Self::Block(block) => (8, rlp::encode(block.as_ref())),
        };
        let mut out = Vec::with_capacity(body.len() + 1);
        out.push(kind);
        out.extend_from_slice(&body);
        out
    }

    /// Decodes strictly: shapes, sizes and counts; no signature is checked.
    ///
    /// # Errors
    /// [`RlpError`]: over a limit, a broken item, an unknown kind, bytes left over.
    pub fn decode(bytes: &[u8]) -> Result<Self, RlpError> {
        let Some((kind, body)) = bytes.split_first() else {
            return Err(RlpError::Item { what: "message", source: alloy_rlp::Error::InputTooShort });
        };
        Ok(match kind {
            1 => {
                let vote: Vote = rlp::decode_exact("vote", body, VOTE_BYTES_MAX)?;
                check_signature("vote", &vote.signature)?;
                Self::Vote(vote)
            }
            2 => {
                let wire: WireSignedChange = rlp::decode_exact("epoch change", body, EPOCH_CHANGE_BYTES_MAX)?;
                Self::EpochChange(wire.checked()?)
            }
            3 => decode_proposal(body)?,
            4 => {
                let wire: WireCert = rlp::decode_exact("epoch certificate", body, EPOCH_CERT_BYTES_MAX)?;
                Self::EpochCert(wire.checked()?)
            }
            5 => Self::CertReq(rlp::decode_exact("certificate request", body, 33)?),
            6 => {
                let hcc: Hcc = rlp::decode_exact("certificate", body, HCC_BYTES_MAX)?;
                check_hcc(&hcc)?;
                Self::Certificate(Arc::new(hcc))
            }
            7 => Self::BlockReq(rlp::decode_exact("block request", body, 33)?),
            8 => {
                let block = Block::from_rlp(body)?;
                check_hcc(&block.header.hcc)?;
                Self::Block(Arc::new(block))
            }
            _ => return Err(custom("message", "unknown kind")),
        })
    }
}

/// What the signature of a change covers.
pub(super) fn unsigned(change: &EpochChange) -> impl alloy_rlp::Encodable {
    WireChange { signature: Signature::none(), ..WireChange::from(change) }
}

fn custom(what: &'static str, rule: &'static str) -> RlpError {
    RlpError::Item { what, source: alloy_rlp::Error::Custom(rule) }
}

fn check_signature(what: &'static str, signature: &Signature) -> Result<(), RlpError> {
    if signature.0.len() == SIGNATURE_BYTES { Ok(()) } else { Err(custom(what, "a signature has 65 bytes")) }
}

fn check_hcc(hcc: &Hcc) -> Result<(), RlpError> {
    if hcc.votes.len() > VALIDATORS_MAX {
        return Err(RlpError::TooMany { what: "certificate", got: hcc.votes.len(), max: VALIDATORS_MAX });
    }
    hcc.votes.iter().try_for_each(|vote| check_signature("certificate", &vote.signature))
}

fn encode_proposal(proposal: &Proposal) -> Vec<u8> {
    let wire = WireProposal {
        block: proposal.block.as_ref().clone(),
        certs: proposal.epoch_cert.iter().map(WireCert::from).collect(),
    };
    rlp::encode(&wire)
}

fn decode_proposal(body: &[u8]) -> Result<Message, RlpError> {
    let limit = BLOCK_BYTES_MAX + EPOCH_CERT_BYTES_MAX;
    let mut wire: WireProposal = rlp::decode_exact("proposal", body, limit)?;
    if wire.block.txs.len() > BLOCK_TXS_MAX {
        return Err(RlpError::TooMany { what: "block", got: wire.block.txs.len(), max: BLOCK_TXS_MAX });
    }
    if wire.certs.len() > 1 {
        return Err(RlpError::TooMany { what: "epoch certificates", got: wire.certs.len(), max: 1 });
    }
    check_hcc(&wire.block.header.hcc)?;
    let epoch_cert = wire.certs.pop().map(WireCert::checked).transpose()?;
    Ok(Message::Proposal(Proposal { block: Arc::new(wire.block), epoch_cert }))
}

#[derive(RlpEncodable, RlpDecodable)]
struct WireProposal {
    block: Block,
    certs: Vec<WireCert>,
}

/// The fields of an [`EpochChange`] that its signature covers, and the signature.
#[derive(Clone, RlpEncodable, RlpDecodable)]
struct WireChange {
    target_epoch: Epoch,
    lock_height: Height,
    lock_hash: Hash,
    last_vote_height: Height,
    last_vote_hash: Hash,
    voter: Address,
    signature: Signature,
}

impl From<&EpochChange> for WireChange {
    fn from(change: &EpochChange) -> Self {
        Self {
            target_epoch: change.target_epoch,
            lock_height: change.lock_height,
            lock_hash: change.lock_hash,
            last_vote_height: change.last_vote_height,
            last_vote_hash: change.last_vote_hash,
            voter: change.voter,
            signature: change.signature.clone(),
        }
    }
}

impl WireChange {
    fn with_cert(self, lock_cc: Option<Arc<Hcc>>) -> Result<EpochChange, RlpError> {
        check_signature("epoch change", &self.signature)?;
        if lock_cc.as_ref().is_some_and(|cc| cc.block_hash != self.lock_hash) {
            return Err(custom("epoch change", "the certificate is not the lock's"));
        }
        Ok(EpochChange {
            target_epoch: self.target_epoch,
            lock_height: self.lock_height,
            lock_hash: self.lock_hash,
            last_vote_height: self.last_vote_height,
            last_vote_hash: self.last_vote_hash,
            voter: self.voter,
            signature: self.signature,
            lock_cc,
        })
    }
}

#[derive(RlpEncodable, RlpDecodable)]
struct WireSignedChange {
    change: WireChange,
    certs: Vec<Hcc>,
}

impl From<&EpochChange> for WireSignedChange {
    fn from(change: &EpochChange) -> Self {
        let certs = change.lock_cc.iter().map(|cc| cc.as_ref().clone()).collect();
        Self { change: WireChange::from(change), certs }
    }
}

impl WireSignedChange {
    fn checked(mut self) -> Result<EpochChange, RlpError> {
        if self.certs.len() > 1 {
            return Err(RlpError::TooMany { what: "lock certificates", got: self.certs.len(), max: 1 });
        }
        self.certs.iter().try_for_each(check_hcc)?;
        self.change.with_cert(self.certs.pop().map(Arc::new))
    }
}

/// Exactly one of both: `commit` has one element, or `changes` has at least one. Each lock's certificate travels once.
#[derive(RlpEncodable, RlpDecodable)]
struct WireCert {
    commit: Vec<Hcc>,
    changes: Vec<WireChange>,
    certs: Vec<Hcc>,
}

impl From<&EpochCert> for WireCert {
    fn from(cert: &EpochCert) -> Self {
        match cert {
            EpochCert::Commit(hcc) => {
                Self { commit: vec![hcc.as_ref().clone()], changes: Vec::new(), certs: Vec::new() }
            }
            EpochCert::Changes(changes) => {
                let certs: BTreeMap<Hash, &Arc<Hcc>> =
                    changes.iter().filter_map(|c| c.lock_cc.as_ref()).map(|cc| (cc.block_hash, cc)).collect();
                Self {
                    commit: Vec::new(),
                    changes: changes.iter().map(WireChange::from).collect(),
                    certs: certs.into_values().map(|cc| cc.as_ref().clone()).collect(),
                }
            }
        }
    }
}

impl WireCert {
    fn checked(self) -> Result<EpochCert, RlpError> {
        const WHAT: &str = "epoch certificate";
        let most = self.commit.len().max(self.changes.len()).max(self.certs.len());
        if most > VALIDATORS_MAX {
            return Err(RlpError::TooMany { what: WHAT, got: most, max: VALIDATORS_MAX });
        }
        self.commit.iter().chain(&self.certs).try_for_each(check_hcc)?;
        let mut commit = self.commit;
        match (commit.pop(), self.changes.is_empty()) {
            (Some(hcc), true) if commit.is_empty() && self.certs.is_empty() => Ok(EpochCert::Commit(Arc::new(hcc))),
            (None, false) => Ok(EpochCert::Changes(attach(self.changes, self.certs)?)),
            _ => Err(custom(WHAT, "neither one certificate nor epoch changes")),
        }
    }
}

fn attach(changes: Vec<WireChange>, certs: Vec<Hcc>) -> Result<Vec<EpochChange>, RlpError> {
    const WHAT: &str = "epoch certificate";
    if changes.windows(2).any(|pair| pair[0].voter >= pair[1].voter) {
        return Err(custom(WHAT, "epoch changes are not by ascending sender"));
    }
    if certs.windows(2).any(|pair| pair[0].block_hash >= pair[1].block_hash) {
        return Err(custom(WHAT, "certificates are not by ascending hash"));
    }
    if certs.iter().any(|cc| changes.iter().all(|c| c.lock_hash != cc.block_hash)) {
        return Err(custom(WHAT, "a certificate belongs to no lock"));
    }
    let certs: BTreeMap<Hash, Arc<Hcc>> = certs.into_iter().map(|cc| (cc.block_hash, Arc::new(cc))).collect();
    changes
        .into_iter()
        .map(|change| {
            let lock_cc = certs.get(&change.lock_hash).cloned();
            change.with_cert(lock_cc)
        })
        .collect()
}
