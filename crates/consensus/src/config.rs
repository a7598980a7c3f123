//! What a machine is told once.

use crate::{Millis, ValidatorSet};
use vigil_primitives::{Address, ChainParams, Hash, SignDomain, Signature};

/// Signing and checking. The node: secp256k1; the simulator: a keyed hash.
pub trait Keys: Send + Sync {
    /// Signs with our key. Called only if [`Config::me`] is set.
    fn sign(&self, digest: &Hash) -> Signature;
    /// True if `signature` is `signer`'s over `digest`.
    fn verify(&self, signer: &Address, digest: &Hash, signature: &Signature) -> bool;
    /// [`Keys::verify`] of many at once, in order.
    fn verify_all(&self, signed: &[(Address, Hash, Signature)]) -> Vec<bool> {
        signed.iter().map(|(signer, digest, signature)| self.verify(signer, digest, signature)).collect()
    }
}

/// What to do with a statement that our key signed and our journal does not know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnknownOwn {
    /// Sign no more: the journal was rolled back, or another node signs with our key.
    Halt,
    /// Be bound by it: the operator said that the old journal is lost and that nobody else signs.
    Adopt,
    /// Nothing: for liars in simulations.
    Ignore,
}

/// Constants of a chain and of this node.
#[derive(Clone, Debug)]
pub struct Config {
    /// Chain id and genesis hash: what every signature covers. In the segment after a reset [`SignDomain::after_reset`], with
    /// a journal and a restart point of its own.
    pub domain: SignDomain,
    /// Our address, if we hold a validator key. A node without one follows and never signs.
    pub me: Option<Address>,
    /// Assumed bound of a message's delay (Δ), in milliseconds.
    pub delta: Millis,
    /// Least time between blocks (I), in milliseconds.
    pub interval: Millis,
    /// Time allowed for executing a block (x), in milliseconds.
    pub execution_budget: Millis,
    /// Most transactions in a block.
    pub block_txs_max: usize,
    /// Largest encoded block, in bytes.
    pub block_bytes_max: usize,
    /// Which rules hold: `Rules::default()` outside of simulations.
    pub rules: Rules,
}

impl Config {
    /// The configuration that genesis asks for.
    pub fn from_params(params: &ChainParams, genesis_hash: Hash, me: Option<Address>) -> Self {
        Self {
            domain: SignDomain { chain_id: params.chain_id.clone(), genesis_hash },
            me,
            delta: params.delta_ms,
            interval: params.block_interval_ms,
            execution_budget: params.execution_budget_ms,
            block_txs_max: usize::try_from(params.block_txs_max).unwrap_or(usize::MAX),
            block_bytes_max: usize::try_from(params.block_bytes_max).unwrap_or(usize::MAX),
            rules: Rules::default(),
        }
    }

    /// True if our key belongs to `set`.
    pub(crate) fn is_member(&self, set: &ValidatorSet) -> bool {
        self.me.is_some_and(|me| set.contains(&me))
    }
}

/// Switches for the simulator. `default()` is the specification; every other value is unsafe or stalls, and exists to
/// replay the counterexamples of `spec/consensus.md` §1.9 and §1.16.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rules {
    /// V4: votes have strictly increasing height.
    pub height_rule: bool,
    /// V5: no vote under the lock.
    pub lock_rule: bool,
    /// Settlement by a direct link in the header; off: a certified child of a certified block is enough (C2).
    pub direct_link: bool,
    /// Propose on and vote only for the longest fork one holds (S1; C1).
    pub longest_fork: bool,
    /// The vote clock is the epoch, ranks stay heights: V4 is off whatever `height_rule` says (C3).
    pub epoch_clock: bool,
    /// A vote for a block of epoch e counts as an `EpochChange` to e + 1.
    pub votes_count_as_epoch_change: bool,
    /// §1.6 rule 8: the two blocks after a set change must be linked directly.
    pub forced_links: bool,
    /// E4's timer is not started where E2 has already sent the `EpochChange`, and nothing is sent again at a start.
    pub no_resend_timer_after_amplified_ec: bool,
    /// k goes back to 1 on any new certificate.
    pub backoff_reset_on_certificate: bool,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            height_rule: true,
            lock_rule: true,
            direct_link: true,
            longest_fork: false,
            epoch_clock: false,
            votes_count_as_epoch_change: false,
            forced_links: false,
            no_resend_timer_after_amplified_ec: false,
            backoff_reset_on_certificate: false,
        }
    }
}
