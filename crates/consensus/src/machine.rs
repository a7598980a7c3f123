//! The machine: state and dispatch. (The body follows; the signatures are stable.)

use crate::{BlockMeta, Config, Effect, Input, Keys, Now, Recovered, SetKey, ValidatorSet, View};
use std::sync::Arc;
use vigil_primitives::{Address, Block, Epoch, Hash, Hcc, Height};

/// The settlement machine of one node.
pub struct Machine {
    config: Config,
    _keys: Box<dyn Keys>,
    recovered: Recovered,
}

impl Machine {
    /// A machine that stands where it stopped. Give it [`Input::Start`] first.
    pub fn new(config: Config, keys: Box<dyn Keys>, recovered: Recovered) -> Self {
        Self { config, _keys: keys, recovered }
    }

    /// Takes one input and appends what is to be done, in order.
    pub fn step(&mut self, now: Now, input: Input, effects: &mut Vec<Effect>) {
        let _ = (now, input, effects, &self.config);
    }

    /// The state, for invariants, status and metrics.
    pub fn view(&self) -> View {
        unreachable!("written next")
    }

    /// What is known of a block: the pending ones and a few settled ones.
    pub fn meta(&self, _hash: &Hash) -> Option<&BlockMeta> {
        None
    }

    /// A block above the settled head.
    pub fn block(&self, _hash: &Hash) -> Option<&Arc<Block>> {
        None
    }

    /// The settled head.
    pub fn settled(&self) -> (Height, Hash) {
        (self.recovered.restart.head().height, self.recovered.restart.head().hash)
    }

    /// A certificate, if it is held.
    pub fn cert(&self, _hash: &Hash) -> Option<&Arc<Hcc>> {
        None
    }

    /// The set that counts now: of a child of the highest certificate's block.
    pub fn validators(&self) -> &ValidatorSet {
        self.recovered.restart.validators()
    }

    /// The name of [`Machine::validators`].
    pub fn set_key(&self) -> SetKey {
        self.recovered.restart.head().set
    }

    /// Whose turn `epoch` is, by the set that counts now. `None`: too far away.
    pub fn proposer(&self, _epoch: Epoch) -> Option<Address> {
        None
    }

    /// The block a proposal would be built on now: what "pending" reads see.
    pub fn tip(&self) -> Hash {
        self.recovered.restart.head().hash
    }
}
