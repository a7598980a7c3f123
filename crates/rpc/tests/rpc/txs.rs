//! One transaction of each type.

use crate::values::{address, deposit, hash, input, payment, send};
use alloy_primitives::Log;
use vigil_crypto::SecretKey;
use vigil_primitives::{
    BalanceChange, Bytes, Coinbase, Coins, DepositStake, Receipt, ReleaseFund, ReserveFund, Slash, SmartContract,
    Split, SplitRuleTx, StakeRewardDistribution, Tx, TxOutput, TxType, U256, WithdrawStake, keccak256,
};
use vigil_testkit::ethereum::{EthTx, type_12};

/// Signed with the key of eleven: `0x19E7..FF2A`, of privatenet.
fn ethereum() -> Tx {
    let tx = EthTx {
        eth_type: 2,
        chain_id: U256::from(366),
        nonce: 4,
        max_priority_fee_per_gas: U256::from(1),
        max_fee_per_gas: U256::from(4_000_000_000_000u64),
        gas_limit: 60_000,
        to: Some(address(0x33)),
        value: U256::from(12),
        data: Bytes::from_static(&[0x60, 0x80]),
        access_list: vec![],
    };
    let key = SecretKey::from_bytes(&[0x11; 32]).expect("a key");
    let signature = key.sign(&keccak256(tx.unsigned()));
    Tx::from_raw(&type_12(&tx.signed(signature.as_array().expect("65 bytes")))).expect("a transaction")
}

/// Receipts of the contract transactions among them: the first one failed, the others moved more than 2^53 and said so.
pub(crate) fn receipts(txs: &[Tx]) -> Vec<Receipt> {
    let contracts =
        txs.iter().filter(|tx| tx.contract_call().is_some()).map(|tx| (tx, tx.tx_type() == TxType::Ethereum));
    let receipt = |(tx, success): (&Tx, bool)| Receipt {
        tx_hash: keccak256(tx.to_raw()),
        from: address(if success { 0x77 } else { 0x11 }),
        eth_type: if success { 2 } else { 0 },
        success,
        gas_used: 54_321,
        cumulative_gas_used: 54_321,
        logs: success.then(log).into_iter().collect(),
        output: Bytes::from_static(&[0xff, 0xfe, 0x00]),
        contract: address(0x33),
        created: false,
        error: if success { String::new() } else { "evm: execution reverted".into() },
        balance_changes: if success { changes() } else { Vec::new() },
    };
    contracts.map(receipt).collect()
}

fn log() -> Log {
    Log::new_unchecked(address(0x33), vec![hash(0xa1), hash(0xa2)], Bytes::from_static(&[1, 2, 3, 4]))
}

fn changes() -> Vec<BalanceChange> {
    let delta = U256::from(10u64).pow(U256::from(24)) + U256::ONE;
    let change = |byte, token, is_negative| BalanceChange { address: address(byte), token, is_negative, delta };
    vec![change(0x77, 1, true), change(0x33, 0, false)]
}

pub(crate) fn one_of_each() -> Vec<Tx> {
    let fee = Coins::tfuel(U256::from(5));
    let source = || input(0x11, Coins::tfuel(U256::from(9)), 2);
    let output = |coins| TxOutput { address: address(0x33), coins };
    vec![
        Tx::Coinbase(Coinbase { proposer: input(0xcc, Coins::ZERO, 0), outputs: vec![output(fee)], block_height: 4 }),
        Tx::Slash(Slash {
            proposer: input(0xcc, Coins::ZERO, 0),
            slashed_address: address(0x66),
            reserve_sequence: 1,
            slash_proof: Bytes::from_static(&[0xff, 0xfe]),
        }),
        send(),
        Tx::ReserveFund(ReserveFund {
            fee,
            source: source(),
            collateral: Coins::tfuel(U256::from(10)),
            resource_ids: vec!["a&b".into()],
            duration: 1000,
        }),
        Tx::ReleaseFund(ReleaseFund { fee, source: source(), reserve_sequence: 2 }),
        Tx::ServicePayment(payment()),
        Tx::SplitRule(SplitRuleTx {
            fee,
            resource_id: "rid".into(),
            initiator: source(),
            splits: vec![Split { address: address(0x22), percentage: 30 }],
            duration: 1000,
        }),
        Tx::SmartContract(SmartContract {
            from: source(),
            to: output(Coins::ZERO),
            gas_limit: 21_000,
            gas_price: U256::from(4_000_000_000_000u64),
            data: Bytes::from_static(&[0x60, 0x80, 0x60]),
        }),
        Tx::DepositStake(DepositStake { fee, source: source(), holder: output(Coins::ZERO), purpose: 0 }),
        Tx::WithdrawStake(WithdrawStake { fee, source: source(), holder: output(Coins::ZERO), purpose: 1 }),
        deposit(),
        Tx::StakeRewardDistribution(StakeRewardDistribution {
            fee,
            holder: source(),
            beneficiary: output(Coins::ZERO),
            split_basis_point: 500,
        }),
        ethereum(),
    ]
}
