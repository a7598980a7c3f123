//! Certificates of checkpoints, and the node as a guardian.

use super::Context;
use crate::CertAt;
use crate::json::{FinalityCertJson, GuardianInfoJson};
use crate::jsonrpc::{Answer, Args, RpcError};

/// A method of our own: the certificate of the checkpoint at `height`, the highest one for "0" or none.
pub(super) async fn finality_cert(ctx: &Context, args: &Args<'_>, out: &mut Answer<'_>) -> Result<(), RpcError> {
    let height = args.u64s("height")?;
    let why = match ctx.backend.finality_cert((height > 0).then_some(height)).await? {
        CertAt::Found(info) => return out.write(&FinalityCertJson::from(info.as_ref())),
        CertAt::NoCheckpoint { interval } => {
            format!("Height {height} is no checkpoint, they are at multiples of {interval}")
        }
        CertAt::NotFinal { highest: 0 } => "No checkpoint is finalized by guardians".to_owned(),
        CertAt::NotFinal { highest } => {
            format!(
                "The checkpoint at height {height} is not finalized by guardians, the highest that is has height {highest}"
            )
        }
        CertAt::Passed { by } => {
            format!(
                "No certificate of the checkpoint at height {height} is known, that of height {by} finalizes it too"
            )
        }
    };
    Err(RpcError::method(why))
}

pub(super) fn info(ctx: &Context, _args: &Args<'_>, out: &mut Answer<'_>) -> Result<(), RpcError> {
    let info = ctx.backend.guardian().ok_or_else(|| {
        RpcError::method("This node is no guardian: make it a BLS key with `vigil guardian key`, start it with guardian.enabled = true")
    })?;
    out.write(&GuardianInfoJson::from(info))
}
