//! From raw bytes to verified transactions, on the engine.

use vigil_accel::Engine;
use vigil_accel::engine::Op;
use vigil_crypto::{Judging, SignedMessage, TxDomain, VerifiedTx, verify_txs};
use vigil_primitives::{Bytes, RlpError};

/// Fewest transactions that are worth another thread.
const PIECE_MIN: usize = 32;

/// Of each transaction, in order.
type Verified = Result<VerifiedTx, RlpError>;

/// Decodes and verifies. Each piece goes from end to end on one thread of the engine; where graphics cards would have a share,
/// the signatures of all are one batch.
pub(super) fn verify_all(engine: &Engine, domain: &TxDomain, raws: &[&Bytes]) -> Vec<Verified> {
    if engine.uses_cards(Op::Recover, raws.len()) {
        return verify_together(engine, domain, raws);
    }
    engine.spread(raws, PIECE_MIN, |raws| verify_txs(engine, domain, raws.iter().copied().cloned()))
}

/// The threads decode and finish pieces; in between, the engine divides what all of them ask.
fn verify_together(engine: &Engine, domain: &TxDomain, raws: &[&Bytes]) -> Vec<Verified> {
    let decode = |raws: &[&Bytes]| Judging::new(domain, raws.iter().copied().cloned());
    let mut pieces = engine.each(raws.chunks(PIECE_MIN).collect(), decode);
    loop {
        let asked: Vec<SignedMessage<'_>> = pieces.iter().flat_map(Judging::questions).collect();
        if asked.is_empty() {
            break;
        }
        let good = engine.verify_messages(&asked);
        let mut rest = good.as_slice();
        for piece in &mut pieces {
            let (own, others) = rest.split_at(piece.questions().len());
            piece.answered(own);
            rest = others;
        }
    }
    engine.each(pieces, |piece| piece.finish(engine)).into_iter().flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use vigil_accel::EngineConfig;
    use vigil_crypto::{SecretKey, sign_tx};
    use vigil_primitives::{Coins, Forks, Send, Tx, TxInput, TxOutput, U256, keccak256};
    use vigil_testkit::ethereum::{EthTx, type_12};

    /// A typed Ethereum transaction, for another chain or with a bad signature now and then.
    fn ethereum(n: u8) -> Bytes {
        let domain = TxDomain { chain_id: "sky".into(), forks: Forks::default() };
        let number = domain.eth_number().0 + U256::from(u8::from(n.is_multiple_of(9)));
        let tx = EthTx { eth_type: 1 + n % 2, chain_id: number, nonce: n.into(), ..EthTx::default() };
        let key = SecretKey::from_bytes(&[n + 1; 32]).expect("a key");
        let mut signature = *key.sign(&keccak256(tx.unsigned())).as_array().expect("65 bytes");
        signature[..32].iter_mut().filter(|_| n.is_multiple_of(15)).for_each(|byte| *byte = 0);
        type_12(&tx.signed(&signature)).into()
    }

    /// Good ones, some with a forged input, some of Ethereum's, and some that are none.
    fn raws(count: u8) -> Vec<Bytes> {
        let raw = |n: u8| {
            if n % 3 == 1 {
                return ethereum(n);
            }
            let keys: Vec<SecretKey> =
                (1..=n % 4 + 1).map(|k| SecretKey::from_bytes(&[k; 32]).expect("a key")).collect();
            let input = |key: &SecretKey| TxInput {
                address: key.address(),
                coins: Coins::tokens(n.into(), 1),
                sequence: 1,
                ..TxInput::default()
            };
            let inputs = keys.iter().map(input).collect();
            let mut tx = Tx::Send(Send { fee: Coins::tokens(0, 1), inputs, outputs: vec![TxOutput::default()] });
            for (slot, key) in keys.iter().enumerate() {
                let key = if n.is_multiple_of(5) && slot == 1 { &keys[0] } else { key };
                sign_tx("sky", &mut tx, slot, key).expect("a slot");
            }
            let mut raw = tx.to_raw();
            raw.truncate(if n.is_multiple_of(11) { 40 } else { raw.len() });
            raw.into()
        };
        (0..count).map(raw).collect()
    }

    #[test]
    fn together_and_in_pieces_the_verdicts_are_the_same() {
        let domain = TxDomain { chain_id: "sky".into(), forks: Forks::default() };
        let all = raws(150);
        let right: Vec<String> = verify_txs(&vigil_crypto::Scalar, &domain, all.iter().cloned())
            .iter()
            .map(|tx| format!("{tx:?}"))
            .collect();
        let senders = right.iter().filter(|text| text.contains("Ethereum(") && text.contains("Some(0)"));
        assert!(senders.count() > 30, "Ethereum's are among them");
        for threads in [1, 3] {
            let config = EngineConfig { threads, pin: false, ..EngineConfig::default() };
            let engine = Engine::start(config).expect("threads");
            for count in [0, 1, 33, 150] {
                let raws: Vec<&Bytes> = all[..count].iter().collect();
                for way in [verify_all, verify_together] {
                    let verified: Vec<String> =
                        way(&engine, &domain, &raws).iter().map(|tx| format!("{tx:?}")).collect();
                    assert_eq!(verified, right[..count], "{count} on {threads} threads");
                }
            }
        }
    }
}
