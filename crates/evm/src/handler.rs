//! What differs from Ethereum in the run of a transaction: where fees go, and the stake token that it carries.

use crate::db::Failed;
use crate::machine::{Ctx, RevmEvm};
use crate::rules::Fees;
use crate::stake_token;
use revm::context::result::{EVMError, HaltReason};
use revm::context::{Cfg, ContextTr, JournalTr, LocalContextTr, Transaction};
use revm::handler::execution::create_init_frame;
use revm::handler::{EvmTr, FrameResult, Handler, post_execution};
use revm::inspector::{Inspector, InspectorHandler};
use revm::interpreter::interpreter::EthInterpreter;
use revm::interpreter::interpreter_action::FrameInit;
use revm::interpreter::{GasTracker, SharedMemory};
use revm::primitives::TxKind;
use std::cell::Cell;
use std::marker::PhantomData;
use vigil_primitives::{Address, U256};

/// Runs one transaction.
pub(crate) struct ChainHandler<'w, I> {
    fees: Fees,
    /// Of the stake token, in wei: what the called or created account gets.
    stake_token: U256,
    /// From and to, once it has moved.
    moved: Cell<Option<(Address, Address)>>,
    evm: PhantomData<(&'w (), I)>,
}

impl<I> ChainHandler<'_, I> {
    pub(crate) fn new(fees: Fees, stake_token: U256) -> Self {
        Self { fees, stake_token, moved: Cell::new(None), evm: PhantomData }
    }
}

impl<'w, I> Handler for ChainHandler<'w, I> {
    type Evm = RevmEvm<'w, I>;
    type Error = EVMError<Failed>;
    type HaltReason = HaltReason;

    /// As the default, and the stake token moves.
    fn first_frame_input(
        &mut self,
        evm: &mut Self::Evm,
        gas: &mut GasTracker,
    ) -> Result<Option<FrameInit>, Self::Error> {
        let context = evm.ctx_mut();
        let mut memory = SharedMemory::new_with_buffer(context.local().shared_memory_buffer().clone());
        memory.set_memory_limit(context.cfg().memory_limit());
        let Some(frame_input) = create_init_frame(context, gas)? else { return Ok(None) };
        if !self.stake_token.is_zero() {
            let from = context.tx().caller();
            let to = match context.tx().kind() {
                TxKind::Call(to) => to,
                TxKind::Create => {
                    let nonce = context.journal_mut().load_account(from)?.data.info.nonce;
                    from.create(nonce)
                }
            };
            if !stake_token::transfer(context, &from, &to, self.stake_token)? {
                return Err(EVMError::Custom("insufficient Theta balance for transfer".to_owned()));
            }
            self.moved.set(Some((from, to)));
        }
        Ok(Some(FrameInit { depth: 0, memory, frame_input }))
    }

    /// As the default. A transaction that failed moves no coins: what its frames did to the stake token is taken back with
    /// them, the first transfer here.
    fn refund(&self, evm: &mut Self::Evm, result: &mut FrameResult, eip7702_refund: i64) -> Result<(), Self::Error> {
        if let Some((from, to)) = self.moved.get()
            && !result.instruction_result().is_ok()
        {
            stake_token::transfer(evm.ctx_mut(), &to, &from, self.stake_token)?;
        }
        post_execution::refund(evm.ctx().cfg().gas_params(), result.gas_mut(), eip7702_refund);
        Ok(())
    }

    fn reward_beneficiary(&self, evm: &mut Self::Evm, result: &mut FrameResult) -> Result<(), Self::Error> {
        match self.fees {
            Fees::Burned => Ok(()),
            Fees::ToProposer => post_execution::reward_beneficiary(evm.ctx(), result.gas()).map_err(From::from),
        }
    }
}

impl<'w, I> InspectorHandler for ChainHandler<'w, I>
where
    I: Inspector<Ctx<'w>, EthInterpreter>,
{
    type IT = EthInterpreter;
}
