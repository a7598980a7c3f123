//! Unsigned transactions from flags.

use super::Command;
use super::holder::Holder;
use crate::CliError;
use vigil_primitives::{
    Address, Coins, DepositStakeV2, Send, Signature, StakeRewardDistribution, Tx, TxInput, TxOutput, U256,
    WithdrawStake,
};

/// The transaction, with sequence 0 and without a signature.
pub(super) fn unsigned(command: &Command) -> Result<Tx, CliError> {
    match command {
        Command::Send { common, from, to, theta, tfuel } => {
            if from == to {
                return Err(CliError::usage("The from and to address cannot be identical"));
            }
            let paid = tfuel.checked_add(common.fee).ok_or_else(|| CliError::usage("--tfuel and --fee overflow"))?;
            Ok(Tx::Send(Send {
                fee: Coins::tfuel(common.fee),
                inputs: vec![input(*from, Coins::new(*theta, paid))],
                outputs: vec![TxOutput { address: *to, coins: Coins::new(*theta, *tfuel) }],
            }))
        }
        Command::Deposit { common, source, holder, stake, purpose } => {
            let holder = Holder::parse(holder, *purpose)?;
            Ok(Tx::DepositStakeV2(DepositStakeV2 {
                fee: Coins::tfuel(common.fee),
                source: input(*source, staked(*stake, *purpose)),
                holder: TxOutput { address: holder.address, coins: Coins::ZERO },
                purpose: *purpose,
                bls_pubkey: holder.bls_pubkey,
                bls_pop: holder.bls_pop,
                holder_sig: holder.signature,
            }))
        }
        Command::Withdraw { common, source, holder, purpose } => Ok(Tx::WithdrawStake(WithdrawStake {
            fee: Coins::tfuel(common.fee),
            source: input(*source, Coins::ZERO),
            holder: TxOutput { address: Holder::parse_address(holder, *purpose)?, coins: Coins::ZERO },
            purpose: *purpose,
        })),
        Command::DistributeStakingReward { common, holder, beneficiary, split_basis_point } => {
            Ok(Tx::StakeRewardDistribution(StakeRewardDistribution {
                fee: Coins::tfuel(common.fee),
                holder: input(*holder, Coins::ZERO),
                beneficiary: TxOutput { address: *beneficiary, coins: Coins::ZERO },
                split_basis_point: *split_basis_point,
            }))
        }
    }
}

/// Sets the signer's sequence.
pub(super) fn set_sequence(tx: &mut Tx, sequence: u64) {
    match tx {
        Tx::Send(t) => t.inputs.iter_mut().for_each(|input| input.sequence = sequence),
        Tx::DepositStakeV2(t) => t.source.sequence = sequence,
        Tx::WithdrawStake(t) => t.source.sequence = sequence,
        Tx::StakeRewardDistribution(t) => t.holder.sequence = sequence,
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
