//! What can happen in a network.

use crate::agenda::Time;
use crate::ledger::{State, ToyTx};
use crate::liars::adversary::Shot;
use std::sync::Arc;
use vigil_consensus::{BlockFault, Executed, Message, TimerId};
use vigil_primitives::{Block, Epoch, Hash};

/// Something that will happen.
#[derive(Clone)]
pub(crate) enum Event {
    Boot(usize),
    Deliver {
        from: usize,
        to: usize,
        message: Arc<Message>,
    },
    Timer {
        node: usize,
        incarnation: u32,
        id: TimerId,
        at: Time,
    },
    Executed {
        node: usize,
        incarnation: u32,
        block: Arc<Block>,
        hash: Hash,
        result: Result<(Executed, State), BlockFault>,
    },
    Built {
        node: usize,
        incarnation: u32,
        epoch: Epoch,
        block: Box<Block>,
        executed: Executed,
    },
    Arm(usize),
    CrashAnyway {
        node: usize,
        incarnation: u32,
    },
    Restart(usize),
    Submit(ToyTx),
    Shot(Box<Shot>),
    Flood,
    Probe,
}
