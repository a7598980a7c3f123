//! The wire is pinned: a hash over seeded encodings of every type. A failure here means nodes of two versions would
//! not understand each other; change a constant only together with a protocol version.

use crate::samples::Samples;
use vigil_primitives::*;

const SEEDS: u64 = 64;

/// Hash over the encodings for all seeds, each after its length.
fn pin(name: &str, expected: &str, encode: impl Fn(&mut Samples) -> Vec<u8>) -> Option<String> {
    let mut all = Vec::new();
    for seed in 0..SEEDS {
        let bytes = encode(&mut Samples::new(seed));
        all.extend_from_slice(&(bytes.len() as u64).to_be_bytes());
        all.extend_from_slice(&bytes);
    }
    let got = hex::encode(&keccak256(all)[..8]);
    (got != expected).then(|| format!("{name}: {got}, pinned {expected}"))
}

fn of<T: rlp::Encodable>(make: impl Fn(&mut Samples) -> T) -> impl Fn(&mut Samples) -> Vec<u8> {
    move |s| rlp::encode(&make(s))
}

fn params(s: &mut Samples) -> ChainParams {
    ChainParams {
        chain_id: s.text(20),
        delta_ms: s.number(),
        validator_deposit_min: s.number(),
        ..ChainParams::default()
    }
}

#[test]
fn encodings_are_pinned() {
    let txs = PINNED_TXS
        .iter()
        .enumerate()
        .map(|(t, expected)| pin(&format!("tx {t}"), expected, |s| s.tx(t as u8).to_raw()));
    let domain = || SignDomain { chain_id: "privatenet".into(), genesis_hash: Hash::repeat_byte(7) };
    let others = [
        pin("sign bytes v1", "cf332485b2c1c801", |s| sign_bytes(s, TxWrapper::V1)),
        pin("sign bytes v2", "2458a09b82d95e0e", |s| sign_bytes(s, TxWrapper::V2)),
        pin("payment source", "f0f29a15345feb57", |s| {
            SignBytes::of_payment_source("privatenet", &s.payment()).wrapped(TxWrapper::V1)
        }),
        pin("ethereum digest", "5b89491cc6d7fa28", eth_digest),
        pin("vote", "393143c726fc9df3", of(Samples::vote)),
        pin("vote digest", "e26002be541355e3", |s| s.vote().digest(&domain()).to_vec()),
        pin("header", "bcc17b469dbd129a", of(|s| BlockHeader { finality: None, ..s.header() })),
        pin("header sign bytes", "7eb64dd83397945c", |s| BlockHeader { finality: None, ..s.header() }.sign_bytes()),
        pin("header with receipts", "3c0046876133a7c2", of(Samples::header_with_receipts)),
        pin("header with certificate", "2d0895311c26e53a", of(Samples::header)),
        pin("aggregated votes", "d925f56a73a9dfe9", of(Samples::votes)),
        pin("checkpoint message", "d4dafc0255c3b84b", |s| s.votes().checkpoint.message(&domain()).to_vec()),
        pin("block", "8882696118f20ef2", of(Samples::block)),
        pin("account", "80b5a2a6c67e7ec7", of(Samples::account)),
        pin("split rule", "737c8d377c6f30c3", of(Samples::split_rule)),
        pin(
            "validator pool",
            "be25ac3aa2623d7a",
            of(|s| ValidatorPool { sorted_candidates: s.list(4, Samples::holder) }),
        ),
        pin(
            "guardian pool",
            "114c405fe5791a26",
            of(|s| GuardianPool { sorted_guardians: s.list(4, Samples::guardian) }),
        ),
        pin("edge node", "29e9cf7aa4bf1d7c", of(|s| EdgeNode { holder: s.holder(), bls_pubkey: s.bytes(48) })),
        pin("reward rule", "0810295210fae2fa", of(reward_distribution)),
        pin("chain params", "cf78450f8208a2a4", of(params)),
    ];
    let changed: Vec<_> = txs.chain(others).flatten().collect();
    assert!(changed.is_empty(), "the wire changed:\n{}", changed.join("\n"));
}

fn sign_bytes(s: &mut Samples, wrapper: TxWrapper) -> Vec<u8> {
    (0..12).flat_map(|t| SignBytes::of("privatenet", &s.tx(t)).wrapped(wrapper)).collect()
}

fn eth_digest(s: &mut Samples) -> Vec<u8> {
    let Tx::SmartContract(tx) = s.tx(7) else { unreachable!("type 7 is a contract transaction") };
    tx.eth_digest(U256::from(366)).to_vec()
}

fn reward_distribution(s: &mut Samples) -> RewardDistribution {
    RewardDistribution { stake_holder: s.address(), beneficiary: s.address(), split_basis_point: s.below(1_001) }
}

const PINNED_TXS: [&str; 13] = [
    "bd233d1c29f58544",
    "6484e12dee808d4c",
    "d4e96f7f7d03e238",
    "05c61966aa521159",
    "40492065f32fe2d7",
    "1de6a785de0cd829",
    "fac5610690bd7938",
    "a048bc7f2e0e91ac",
    "e0b59fd240fa1044",
    "b83a987fa614072e",
    "09e8379ee3af580b",
    "c612e52aab4f5dfb",
    "08311a55d76dae98",
];
