//! Certificates of guardians, as stored.

use super::{Chain, ChainError, decode, records};
use std::sync::{Arc, PoisonError};
use vigil_crypto::bls::Scheme;
use vigil_primitives::{FinalityCert, Height, rlp};
use vigil_store::{Batch, Column};

impl Chain {
    /// How guardians sign on this chain.
    ///
    /// # Panics
    /// If the rules name no scheme; those of a valid genesis do.
    pub fn scheme(&self) -> Scheme {
        Scheme::from_name(&self.params().bls_scheme).expect("a valid genesis names a scheme")
    }

    /// The highest certificate.
    pub fn final_cert(&self) -> Option<Arc<FinalityCert>> {
        self.finalized.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The highest height that guardians have finalized; 0: none.
    pub fn final_height(&self) -> Height {
        self.final_cert().map_or(0, |cert| cert.checkpoint.height)
    }

    /// The certificate of a checkpoint, if it had one of its own (a later one covers it too).
    ///
    /// # Errors
    /// The store's, or a damaged value.
    pub fn final_cert_at(&self, height: Height) -> Result<Option<FinalityCert>, ChainError> {
        self.decoded(Column::Meta, &records::final_key(height), "finality certificate")
    }

    /// The certificate of the lowest checkpoint from `height` up that has one: it finalizes `height`.
    ///
    /// # Errors
    /// The store's, or a damaged value.
    pub fn final_cert_from(&self, height: Height) -> Result<Option<FinalityCert>, ChainError> {
        let (prefix, from) = (records::FINAL_AT, records::final_key(height));
        let entry = self.store().scan(Column::Meta, prefix, &from, 1)?;
        entry.first().map(|(_, value)| decode("finality certificate", value)).transpose()
    }

    /// Keeps a certificate that holds; it is served from then on. One that is not higher is kept for its height alone.
    ///
    /// # Errors
    /// The store's; then nothing has changed.
    pub fn store_final(&self, cert: &Arc<FinalityCert>) -> Result<(), ChainError> {
        let height = cert.checkpoint.height;
        let mut highest = self.finalized.lock().unwrap_or_else(PoisonError::into_inner);
        let is_higher = highest.as_ref().is_none_or(|known| known.checkpoint.height < height);
        let bytes = rlp::encode(cert.as_ref());
        let mut batch = Batch::new();
        if is_higher {
            batch.put(Column::Meta, records::FINAL, bytes.clone());
        }
        batch.put(Column::Meta, records::final_key(height), bytes);
        self.store().write(batch, false)?;
        self.proofs().note(cert);
        if is_higher {
            *highest = Some(Arc::clone(cert));
        }
        Ok(())
    }
}
