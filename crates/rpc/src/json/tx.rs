//! Transactions by type (`spec/rpc.md` §3).

use super::scalars::{Base64, Big, BlsJson, CoinsJson, SignatureJson, U64s};
use serde::Serialize;
use vigil_primitives::{Address, Bytes, Coins, EthereumTx, ServicePayment, Signature, Split, Tx, TxInput, TxOutput};

#[derive(Serialize)]
pub(crate) struct InputJson<'a> {
    address: Address,
    coins: CoinsJson,
    sequence: U64s,
    signature: SignatureJson<'a>,
}

impl<'a> From<&'a TxInput> for InputJson<'a> {
    fn from(input: &'a TxInput) -> Self {
        Self {
            address: input.address,
            coins: (&input.coins).into(),
            sequence: U64s(input.sequence),
            signature: SignatureJson(&input.signature),
        }
    }
}

#[derive(Serialize)]
pub(crate) struct OutputJson {
    address: Address,
    coins: CoinsJson,
}

impl From<&TxOutput> for OutputJson {
    fn from(output: &TxOutput) -> Self {
        Self { address: output.address, coins: (&output.coins).into() }
    }
}

/// A share of a service payment.
#[derive(Serialize)]
pub(crate) struct SplitJson {
    #[serde(rename = "Address")]
    address: Address,
    #[serde(rename = "Percentage")]
    percentage: u64,
}

impl From<&Split> for SplitJson {
    fn from(split: &Split) -> Self {
        Self { address: split.address, percentage: split.percentage }
    }
}

#[derive(Serialize)]
pub(crate) struct ServicePaymentJson<'a> {
    fee: CoinsJson,
    source: InputJson<'a>,
    target: InputJson<'a>,
    payment_sequence: U64s,
    reserve_sequence: U64s,
    resource_id: &'a str,
}

impl<'a> From<&'a ServicePayment> for ServicePaymentJson<'a> {
    fn from(t: &'a ServicePayment) -> Self {
        Self {
            fee: (&t.fee).into(),
            source: (&t.source).into(),
            target: (&t.target).into(),
            payment_sequence: U64s(t.payment_sequence),
            reserve_sequence: U64s(t.reserve_sequence),
            resource_id: &t.resource_id,
        }
    }
}

/// An Ethereum transaction: as it was signed, and in the fields of a contract transaction (type 7).
#[derive(Serialize)]
pub(crate) struct EthereumJson<'a> {
    raw: &'a Bytes,
    from: InputJson<'a>,
    to: OutputJson,
    gas_limit: U64s,
    gas_price: Big,
    data: Base64<'a>,
}

/// The signature is inside `raw`.
static NO_SIGNATURE: Signature = Signature::none();

impl<'a> From<&'a EthereumTx> for EthereumJson<'a> {
    fn from(tx: &'a EthereumTx) -> Self {
        let t = tx.fields();
        let from = InputJson {
            address: tx.from(),
            coins: (&Coins::tfuel(t.value)).into(),
            sequence: U64s(tx.sequence()),
            signature: SignatureJson(&NO_SIGNATURE),
        };
        let to = OutputJson { address: t.to.unwrap_or_default(), coins: (&Coins::ZERO).into() };
        let (gas_limit, gas_price) = (U64s(t.gas_limit), Big(t.max_fee_per_gas));
        Self { raw: tx.raw(), from, to, gas_limit, gas_price, data: Base64(&t.data) }
    }
}

/// A transaction; the type number stands beside it, not in it.
#[derive(Serialize)]
#[serde(untagged)]
pub(crate) enum TxJson<'a> {
    Coinbase {
        proposer: InputJson<'a>,
        outputs: Vec<OutputJson>,
        block_height: U64s,
    },
    Slash {
        proposer: InputJson<'a>,
        slashed_address: Address,
        reserve_sequence: U64s,
        slash_proof: Base64<'a>,
    },
    Send {
        fee: CoinsJson,
        inputs: Vec<InputJson<'a>>,
        outputs: Vec<OutputJson>,
    },
    ReserveFund {
        fee: CoinsJson,
        source: InputJson<'a>,
        collateral: CoinsJson,
        resource_ids: &'a [String],
        duration: U64s,
    },
    ReleaseFund {
        fee: CoinsJson,
        source: InputJson<'a>,
        reserve_sequence: U64s,
    },
    ServicePayment(ServicePaymentJson<'a>),
    SplitRule {
        fee: CoinsJson,
        resource_id: &'a str,
        initiator: InputJson<'a>,
        splits: Vec<SplitJson>,
        duration: U64s,
    },
    SmartContract {
        from: InputJson<'a>,
        to: OutputJson,
        gas_limit: U64s,
        gas_price: Big,
        data: Base64<'a>,
    },
    /// Deposit (type 8) and withdrawal (type 9) have one shape.
    Stake {
        fee: CoinsJson,
        source: InputJson<'a>,
        holder: OutputJson,
        purpose: u8,
    },
    DepositStakeV2 {
        fee: CoinsJson,
        source: InputJson<'a>,
        holder: OutputJson,
        purpose: u8,
        #[serde(rename = "BlsPubkey")]
        bls_pubkey: BlsJson<'a>,
        #[serde(rename = "BlsPop")]
        bls_pop: BlsJson<'a>,
        #[serde(rename = "HolderSig")]
        holder_sig: SignatureJson<'a>,
    },
    StakeRewardDistribution {
        fee: CoinsJson,
        holder: InputJson<'a>,
        beneficiary: OutputJson,
        split_basis_point: u64,
    },
    Ethereum(EthereumJson<'a>),
}

fn each<'a, T, J: From<&'a T>>(list: &'a [T]) -> Vec<J> {
    list.iter().map(J::from).collect()
}

impl<'a> From<&'a Tx> for TxJson<'a> {
    fn from(tx: &'a Tx) -> Self {
        match tx {
            Tx::Coinbase(t) => Self::Coinbase {
                proposer: (&t.proposer).into(),
                outputs: each(&t.outputs),
                block_height: U64s(t.block_height),
            },
            Tx::Slash(t) => Self::Slash {
                proposer: (&t.proposer).into(),
                slashed_address: t.slashed_address,
                reserve_sequence: U64s(t.reserve_sequence),
                slash_proof: Base64(&t.slash_proof),
            },
            Tx::Send(t) => Self::Send { fee: (&t.fee).into(), inputs: each(&t.inputs), outputs: each(&t.outputs) },
            Tx::ReserveFund(t) => Self::ReserveFund {
                fee: (&t.fee).into(),
                source: (&t.source).into(),
                collateral: (&t.collateral).into(),
                resource_ids: &t.resource_ids,
                duration: U64s(t.duration),
            },
            Tx::ReleaseFund(t) => Self::ReleaseFund {
                fee: (&t.fee).into(),
                source: (&t.source).into(),
                reserve_sequence: U64s(t.reserve_sequence),
            },
            Tx::ServicePayment(t) => Self::ServicePayment(t.into()),
            Tx::SplitRule(t) => Self::SplitRule {
                fee: (&t.fee).into(),
                resource_id: &t.resource_id,
                initiator: (&t.initiator).into(),
                splits: each(&t.splits),
                duration: U64s(t.duration),
            },
            Tx::SmartContract(t) => Self::SmartContract {
                from: (&t.from).into(),
                to: (&t.to).into(),
                gas_limit: U64s(t.gas_limit),
                gas_price: Big(t.gas_price),
                data: Base64(&t.data),
            },
            Tx::DepositStake(t) => Self::Stake {
                fee: (&t.fee).into(),
                source: (&t.source).into(),
                holder: (&t.holder).into(),
                purpose: t.purpose,
            },
            Tx::WithdrawStake(t) => Self::Stake {
                fee: (&t.fee).into(),
                source: (&t.source).into(),
                holder: (&t.holder).into(),
                purpose: t.purpose,
            },
            Tx::DepositStakeV2(t) => Self::DepositStakeV2 {
                fee: (&t.fee).into(),
                source: (&t.source).into(),
                holder: (&t.holder).into(),
                purpose: t.purpose,
                bls_pubkey: BlsJson(&t.bls_pubkey),
                bls_pop: BlsJson(&t.bls_pop),
                holder_sig: SignatureJson(&t.holder_sig),
            },
            Tx::StakeRewardDistribution(t) => Self::StakeRewardDistribution {
                fee: (&t.fee).into(),
                holder: (&t.holder).into(),
                beneficiary: (&t.beneficiary).into(),
                split_basis_point: t.split_basis_point,
            },
            Tx::Ethereum(t) => Self::Ethereum(t.into()),
        }
    }
}
