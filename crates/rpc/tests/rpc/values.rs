//! Fixed values: what a fake node's answers are made of.

use vigil_primitives::{
    Address, Bytes, Coins, DepositStakeV2, Hash, Send, ServicePayment, Signature, Stake, StakeHolder, Tx, TxInput,
    TxOutput, U256,
};

/// Twenty equal bytes.
pub(crate) fn address(byte: u8) -> Address {
    Address::repeat_byte(byte)
}

/// Thirty-two equal bytes.
pub(crate) fn hash(byte: u8) -> Hash {
    Hash::repeat_byte(byte)
}

pub(crate) fn input(byte: u8, coins: Coins, sequence: u64) -> TxInput {
    TxInput { address: address(byte), coins, sequence, signature: [byte; 65].into() }
}

/// A send of 1 stake token from `11..` to `22..`.
pub(crate) fn send() -> Tx {
    let fee = Coins::tfuel(U256::from(300_000_000_000_000_000u64));
    let inputs = vec![input(0x11, Coins::new(U256::from(10u64.pow(18)), fee.tfuel), 1)];
    let outputs = vec![TxOutput { address: address(0x22), coins: Coins::tokens(1, 0) }];
    Tx::Send(Send { fee, inputs, outputs })
}

/// A deposit with BLS parts.
pub(crate) fn deposit() -> Tx {
    Tx::DepositStakeV2(DepositStakeV2 {
        fee: Coins::tfuel(U256::from(5)),
        source: input(0x11, Coins::tokens(1_000, 0), 2),
        holder: TxOutput { address: address(0x33), coins: Coins::ZERO },
        purpose: 1,
        bls_pubkey: Bytes::from_static(&[1; 48]),
        bls_pop: Bytes::from_static(&[2; 96]),
        holder_sig: Signature::none(),
    })
}

pub(crate) fn payment() -> ServicePayment {
    ServicePayment {
        fee: Coins::tfuel(U256::from(7)),
        source: input(0x11, Coins::tfuel(U256::from(8)), 0),
        target: input(0x22, Coins::ZERO, 3),
        payment_sequence: 4,
        reserve_sequence: 5,
        resource_id: "rid".into(),
    }
}

pub(crate) fn stakes() -> Vec<Stake> {
    let active = Stake { source: address(0x11), amount: U256::from(100), withdrawn: false, return_height: u64::MAX };
    vec![active.clone(), Stake { withdrawn: true, return_height: 28_800, source: address(0x22), ..active }]
}

pub(crate) fn holder(byte: u8, stakes: Vec<Stake>) -> StakeHolder {
    StakeHolder { holder: address(byte), stakes }
}
