//! Ethereum's precompiles and those of the stake token (`spec/ledger.md` §9.4).
//!
//! The stake token's act for the frame's caller, and only when they are called: a contract that a user calls must not
//! spend the user's coins by DELEGATECALL (`docs/decisions/0015-evm.md`), and nothing is spent in a static call.

use crate::stake_token::{self, RESERVED};
use crate::world::{Deposit, StakeOp};
use crate::{db::Db, machine::Ctx};
use revm::context::{ContextTr, JournalTr, LocalContextTr};
use revm::context_interface::journaled_state::account::JournaledAccountTr;
use revm::handler::{EthPrecompiles, PrecompileProvider};
use revm::interpreter::{CallInputs, CallScheme, Gas, InstructionResult, InterpreterResult};
use revm::primitives::AddressSet;
use revm::primitives::hardfork::SpecId;
use std::rc::Rc;
use vigil_primitives::{Address, Bytes, U256};

const BALANCE: u8 = 201;
const STAKED: u8 = 202;
pub(crate) const TRANSFER: u8 = 203;
const DEPOSIT_GUARDIAN: u8 = 204;
const WITHDRAW_GUARDIAN: u8 = 205;
const DEPOSIT_EDGE_NODE: u8 = 206;
const WITHDRAW_EDGE_NODE: u8 = 207;

/// Gas of the precompile [`BALANCE`].
const BALANCE_GAS: u64 = 4;
/// Gas of the precompile [`STAKED`].
const STAKED_GAS: u64 = 200;
/// Gas of the others.
const CHANGE_GAS: u64 = 21_000;
/// Gas of a deposit besides, if its node is new: two pairings and a recovery, as EIP-2537 and ecrecover price them.
const REGISTER_GAS: u64 = 102_900 + 3_000;

/// Address, BLS key, proof of possession and signature of a node, in bytes.
const SUMMARY_BYTES: usize = 20 + 48 + 96 + 65;
/// Bytes between the summary and the amount in a deposit with an edge node.
const IGNORED_BYTES: usize = 32;
/// The longest input: a summary, what is ignored, an amount.
const HEAD_BYTES: usize = SUMMARY_BYTES + IGNORED_BYTES + 32;

pub(crate) const fn address_of(number: u8) -> Address {
    let mut bytes = [0; 20];
    bytes[19] = number;
    Address::new(bytes)
}

/// All precompiles of a chain.
pub(crate) struct Precompiles {
    eth: EthPrecompiles,
    addresses: Rc<AddressSet>,
    stake_token: bool,
    /// Stake operations that the world has on its stack: those that stand, and above them some that a revert took back.
    applied: usize,
}

/// Addresses of the precompiles of a fork, and those of the stake token.
pub(crate) fn addresses(spec: SpecId, stake_token: bool) -> AddressSet {
    let mut all = EthPrecompiles::new(spec).warm_addresses().clone();
    if stake_token {
        all.extend((BALANCE..=WITHDRAW_EDGE_NODE).map(address_of));
    }
    all
}

/// Why a precompile of the stake token fails; it takes all gas of its frame.
enum Fault {
    OutOfGas,
    Refused(&'static str),
    /// The world's error is kept by [`Db`].
    World,
}

impl<E: std::error::Error> From<E> for Fault {
    fn from(_kept_by_the_database: E) -> Self {
        Self::World
    }
}

impl Precompiles {
    pub(crate) fn new(spec: SpecId, addresses: Rc<AddressSet>, stake_token: bool) -> Self {
        Self { eth: EthPrecompiles::new(spec), addresses, stake_token, applied: 0 }
    }

    /// Makes the world's stack hold the operations that stand, and no others. What a revert took back never stands again,
    /// and nothing is put on the stack before it is settled: what stands is the lowest part of it.
    pub(crate) fn settle(&mut self, context: &mut Ctx<'_>) -> Result<(), crate::db::Failed> {
        if self.applied == 0 {
            return Ok(());
        }
        let standing = stake_token::standing(context)?;
        debug_assert!(standing <= self.applied, "{standing} of {} stand", self.applied);
        while self.applied > standing {
            Db::world_of(context).unstake();
            self.applied -= 1;
        }
        Ok(())
    }

    fn call(&mut self, number: u8, context: &mut Ctx<'_>, inputs: &CallInputs, gas: &mut Gas) -> Result<Bytes, Fault> {
        let input = Input::of(&inputs.input.as_bytes(context));
        match number {
            BALANCE => {
                charge(gas, BALANCE_GAS)?;
                let balance = stake_token::balance(context, &input.last_address)?;
                return Ok(balance.to_be_bytes::<32>().into());
            }
            STAKED => {
                charge(gas, STAKED_GAS)?;
                self.settle(context)?;
                let staked = Db::world_of(context).staked(&input.last_address)?;
                return Ok(staked.to_be_bytes::<32>().into());
            }
            _ => {}
        }
        charge(gas, CHANGE_GAS)?;
        if inputs.is_static {
            return Err(Fault::Refused("evm: write protection"));
        }
        if inputs.scheme != CallScheme::Call {
            return Err(Fault::Refused("the stake token cannot be spent by DELEGATECALL or CALLCODE"));
        }
        let source = inputs.caller;
        if number == TRANSFER {
            let (to, amount) = (input.address(0), input.number(20));
            return match stake_token::transfer(context, &source, &to, amount)? {
                true => Ok(Bytes::new()),
                false => Err(Fault::Refused("insufficient Theta balance for transfer")),
            };
        }
        let holder = input.last_address;
        let op = match number {
            DEPOSIT_GUARDIAN => StakeOp::DepositGuardian(input.deposit(source, SUMMARY_BYTES)),
            DEPOSIT_EDGE_NODE => StakeOp::DepositEdgeNode(input.deposit(source, SUMMARY_BYTES + IGNORED_BYTES)),
            WITHDRAW_GUARDIAN => StakeOp::WithdrawGuardian { source, holder },
            _ => StakeOp::WithdrawEdgeNode { source, holder },
        };
        self.stake(context, op, gas).map(|()| Bytes::new())
    }

    fn stake(&mut self, context: &mut Ctx<'_>, op: StakeOp, gas: &mut Gas) -> Result<(), Fault> {
        self.settle(context)?;
        if let StakeOp::DepositGuardian(_) | StakeOp::DepositEdgeNode(_) = &op
            && !Db::world_of(context).is_registered(&op)?
        {
            charge(gas, REGISTER_GAS)?;
        }
        let paid = match &op {
            StakeOp::DepositGuardian(deposit) => stake_token::debit(context, &deposit.source, deposit.amount)?,
            StakeOp::DepositEdgeNode(deposit) => {
                context.journal_mut().load_account_mut(deposit.source)?.decr_balance(deposit.amount)
            }
            StakeOp::WithdrawGuardian { .. } | StakeOp::WithdrawEdgeNode { .. } => true,
        };
        // What was paid for an operation that is refused comes back with the frame.
        if !paid || !Db::world_of(context).stake(&op)? {
            return Err(Fault::Refused("invalid stake operation"));
        }
        self.applied += 1;
        stake_token::stand(context, self.applied)?;
        Ok(())
    }
}

fn charge(gas: &mut Gas, cost: u64) -> Result<(), Fault> {
    if gas.record_regular_cost(cost) { Ok(()) } else { Err(Fault::OutOfGas) }
}

/// What matters of the input of a call, which may be megabytes long.
struct Input {
    /// Its beginning; zeros follow a shorter one.
    head: [u8; HEAD_BYTES],
    /// Its last 20 bytes; zeros stand before a shorter one.
    last_address: Address,
}

impl Input {
    fn of(input: &[u8]) -> Self {
        let mut head = [0; HEAD_BYTES];
        let count = input.len().min(HEAD_BYTES);
        head[..count].copy_from_slice(&input[..count]);
        let last = &input[input.len().saturating_sub(Address::len_bytes())..];
        Self { head, last_address: Address::left_padding_from(last) }
    }

    fn bytes<const N: usize>(&self, start: usize) -> [u8; N] {
        let mut out = [0; N];
        out.copy_from_slice(&self.head[start..start + N]);
        out
    }

    fn number(&self, start: usize) -> U256 {
        U256::from_be_bytes(self.bytes::<32>(start))
    }

    fn address(&self, start: usize) -> Address {
        Address::new(self.bytes(start))
    }

    fn deposit(&self, source: Address, amount_at: usize) -> Deposit {
        Deposit {
            source,
            holder: self.address(0),
            amount: self.number(amount_at),
            bls_pubkey: self.bytes::<48>(20).to_vec().into(),
            bls_pop: self.bytes::<96>(68).to_vec().into(),
            holder_sig: self.bytes::<65>(164).to_vec().into(),
        }
    }
}

impl PrecompileProvider<Ctx<'_>> for Precompiles {
    type Output = InterpreterResult;

    fn set_spec(&mut self, _it_is_that_of_the_machine: SpecId) -> bool {
        false
    }

    fn run(&mut self, context: &mut Ctx<'_>, inputs: &CallInputs) -> Result<Option<InterpreterResult>, String> {
        let address = &inputs.bytecode_address;
        let number = address[19];
        if !self.stake_token || !(BALANCE..=WITHDRAW_EDGE_NODE).contains(&number) || *address != address_of(number) {
            return PrecompileProvider::<Ctx<'_>>::run(&mut self.eth, context, inputs);
        }
        let mut gas = Gas::new(inputs.gas_limit);
        let (result, output) = match self.call(number, context, inputs, &mut gas) {
            Ok(output) => (InstructionResult::Return, output),
            Err(Fault::OutOfGas) => (InstructionResult::PrecompileOOG, Bytes::new()),
            Err(Fault::World) => return Err("the state cannot be read".to_owned()),
            Err(Fault::Refused(why)) => {
                if context.journal().depth() == 1 {
                    context.local_mut().set_precompile_error_context(why.to_owned());
                }
                (InstructionResult::PrecompileError, Bytes::new())
            }
        };
        if !result.is_ok() {
            gas.spend_all();
        }
        Ok(Some(InterpreterResult::new(result, output, gas)))
    }

    fn warm_addresses(&self) -> &AddressSet {
        &self.addresses
    }
}

/// True for the account in which the stake token's balances stand while a transaction runs.
pub(crate) fn is_reserved(address: &Address) -> bool {
    *address == RESERVED
}
