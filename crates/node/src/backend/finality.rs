//! Certificates of guardians.

use super::{Answer, NodeBackend, internal};
use vigil_crypto::signer_vectors;
use vigil_ledger::{is_reward_height, queries};
use vigil_primitives::{FinalityCert, Height};
use vigil_rpc::{BackendError, CertAt, CertInfo};

impl NodeBackend {
    /// The certificate of the checkpoint at a height, or the highest one.
    pub(super) fn cert_at(&self, height: Option<Height>) -> Answer<CertAt> {
        let Some(height) = height else {
            return match self.chain.final_cert() {
                Some(cert) => self.cert_info(cert.as_ref().clone()),
                None => Ok(CertAt::NotFinal { highest: 0 }),
            };
        };
        let params = self.chain.params();
        if !is_reward_height(params, height) {
            return Ok(CertAt::NoCheckpoint { interval: params.checkpoint_interval });
        }
        match self.chain.final_cert_from(height).map_err(internal)? {
            Some(cert) if cert.checkpoint.height == height => self.cert_info(cert),
            Some(cert) => Ok(CertAt::Passed { by: cert.checkpoint.height }),
            None => Ok(CertAt::NotFinal { highest: self.chain.final_height() }),
        }
    }

    /// A certificate with what its signers weigh, by the state after the block that it names.
    fn cert_info(&self, cert: FinalityCert) -> Answer<CertAt> {
        let of = cert.checkpoint;
        let missing =
            |what| BackendError::new(format!("internal error: {what} of checkpoint {} is missing", of.height));
        let block = self.chain.block(&of.block_hash).map_err(internal)?.ok_or_else(|| missing("the block"))?;
        let set = queries::guardians(&self.chain.state_of(&block.header)).map_err(internal)?;
        let signers = signer_vectors::unpack(set.len(), &cert.signers).map_err(internal)?;
        let (weight, total_weight) = (set.weight_of(&signers), set.total());
        let (guardians, signers) = (set.len(), signer_vectors::signer_count(&signers));
        Ok(CertAt::Found(Box::new(CertInfo { cert, signers, guardians, weight, total_weight })))
    }
}
