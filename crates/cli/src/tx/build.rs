//! Unsigned transactions from flags.

use super::holder::Holder;
use super::{Command, Fee, Message};
use crate::CliError;
use vigil_primitives::{
    Address, Coins, DepositStakeV2, Send, Signature, SmartContract, StakeRewardDistribution, Tx, TxInput, TxOutput,
    U256, WithdrawStake,
};

/// The transaction, with sequence 0 and without a signature.
pub(super) fn unsigned(command: &Command) -> Result<Tx, CliError> {
    match command {
        Command::Send { fee: Fee { fee }, from, to, theta, tfuel, .. } => {
            if from == to {
                return Err(CliError::usage("The from and to address cannot be identical"));
            }
            let paid = tfuel.checked_add(*fee).ok_or_else(|| CliError::usage("--tfuel and --fee overflow"))?;
            Ok(Tx::Send(Send {
                fee: Coins::tfuel(*fee),
                inputs: vec![input(*from, Coins::new(*theta, paid))],
                outputs: vec![TxOutput { address: *to, coins: Coins::new(*theta, *tfuel) }],
            }))
        }
        Command::Deposit { fee: Fee { fee }, source, holder, stake, purpose, .. } => {
            let holder = Holder::parse(holder, *purpose)?;
            Ok(Tx::DepositStakeV2(DepositStakeV2 {
                fee: Coins::tfuel(*fee),
                source: input(*source, staked(*stake, *purpose)),
                holder: TxOutput { address: holder.address, coins: Coins::ZERO },
                purpose: *purpose,
                bls_pubkey: holder.bls_pubkey,
                bls_pop: holder.bls_pop,
                holder_sig: holder.signature,
            }))
        }
        Command::Withdraw { fee: Fee { fee }, source, holder, purpose, .. } => Ok(Tx::WithdrawStake(WithdrawStake {
            fee: Coins::tfuel(*fee),
            source: input(*source, Coins::ZERO),
            holder: TxOutput { address: Holder::parse_address(holder, *purpose)?, coins: Coins::ZERO },
            purpose: *purpose,
        })),
        Command::DistributeStakingReward { fee: Fee { fee }, holder, beneficiary, split_basis_point, .. } => {
            Ok(Tx::StakeRewardDistribution(StakeRewardDistribution {
                fee: Coins::tfuel(*fee),
                holder: input(*holder, Coins::ZERO),
                beneficiary: TxOutput { address: *beneficiary, coins: Coins::ZERO },
                split_basis_point: *split_basis_point,
            }))
        }
        Command::SmartContract { message, value, .. } => contract(message, *value).map(Tx::SmartContract),
    }
}

/// A contract transaction, with sequence 0 and without a signature. `value`: of the operational token, in wei.
pub(crate) fn contract(message: &Message, value: U256) -> Result<SmartContract, CliError> {
    if message.to == Some(Address::ZERO) {
        return Err(CliError::usage(
            "--to is the zero address, which creates contracts: leave --to away to create one",
        ));
    }
    Ok(SmartContract {
        from: input(message.from, Coins::tfuel(value)),
        to: TxOutput { address: message.to.unwrap_or_default(), coins: Coins::ZERO },
        gas_limit: message.gas_limit,
        gas_price: message.gas_price,
        data: message.data.clone(),
    })
}

/// Sets the signer's sequence.
pub(super) fn set_sequence(tx: &mut Tx, sequence: u64) {
    match tx {
        Tx::Send(t) => t.inputs.iter_mut().for_each(|input| input.sequence = sequence),
        Tx::DepositStakeV2(t) => t.source.sequence = sequence,
        Tx::WithdrawStake(t) => t.source.sequence = sequence,
        Tx::StakeRewardDistribution(t) => t.holder.sequence = sequence,
        Tx::SmartContract(t) => t.from.sequence = sequence,
        other => unreachable!("`vigil tx` makes no {:?}", other.tx_type()),
    }
}

fn input(address: Address, coins: Coins) -> TxInput {
    TxInput { address, coins, sequence: 0, signature: Signature::none() }
}

/// Elite edge nodes stake the operational token, the others the stake token.
fn staked(stake: U256, purpose: u8) -> Coins {
    if purpose == 2 { Coins::tfuel(stake) } else { Coins::theta(stake) }
}
