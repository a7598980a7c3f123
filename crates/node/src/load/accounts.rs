//! The accounts that send.

use crate::localnet::devnet;
use serde::Deserialize;
use serde_json::json;
use vigil_crypto::{SecretKey, sign_tx};
use vigil_primitives::{Address, Coins, Hash, Send, Signature, Tx, TxInput, TxOutput, U256, keccak256};
use vigil_rpc::Client;

/// Fee of a send between two accounts, in wei.
const FEE_WEI: u64 = 300_000_000_000_000_000;
/// What each transaction moves, in wei.
const AMOUNT_WEI: u64 = 1;
/// Accounts asked for in one request.
const CHUNK: usize = 500;

/// An account with the sequence it has used last.
pub(super) struct Account {
    /// Its number.
    pub(super) index: usize,
    key: SecretKey,
    pub(super) address: Address,
    to: Address,
    pub(super) sequence: u64,
}

/// A transaction ready to go.
pub(super) struct Signed {
    pub(super) hash: Hash,
    pub(super) raw: Vec<u8>,
}

#[derive(Deserialize)]
struct AccountJson {
    sequence: String,
}

/// Opens the first `count` load accounts with the sequences that `client`'s node knows.
pub(super) async fn open(client: &Client, count: usize) -> Result<Vec<Account>, String> {
    let keys: Vec<SecretKey> = (0..count).map(devnet::load_key).collect();
    let addresses: Vec<Address> = keys.iter().map(SecretKey::address).collect();
    let sequences = sequences(client, &addresses).await?;
    let account = |(index, (key, sequence))| {
        let to = addresses[(index + 1) % count];
        Account { index, key, address: addresses[index], to, sequence }
    };
    Ok(keys.into_iter().zip(sequences).enumerate().map(account).collect())
}

/// The last used sequence of each address, transactions that wait included.
pub(super) async fn sequences(client: &Client, addresses: &[Address]) -> Result<Vec<u64>, String> {
    let mut sequences = Vec::with_capacity(addresses.len());
    for chunk in addresses.chunks(CHUNK) {
        let params: Vec<_> = chunk.iter().map(|a| json!({"address": a.to_string(), "preview": true})).collect();
        for answer in client.batch::<AccountJson>("theta.GetAccount", &params).await.map_err(|e| e.to_string())? {
            let sequence = answer.map_err(|e| e.to_string())?.sequence;
            sequences.push(sequence.parse().map_err(|_| format!("sequence `{sequence}` is no number"))?);
        }
    }
    Ok(sequences)
}

impl Account {
    /// The next transaction: one wei to the next account.
    pub(super) fn next(&mut self, chain_id: &str) -> Signed {
        self.sequence += 1;
        let coins = |wei: u64| Coins::tfuel(U256::from(wei));
        let mut tx = Tx::Send(Send {
            fee: coins(FEE_WEI),
            inputs: vec![TxInput {
                address: self.address,
                coins: coins(FEE_WEI + AMOUNT_WEI),
                sequence: self.sequence,
                signature: Signature::none(),
            }],
            outputs: vec![TxOutput { address: self.to, coins: coins(AMOUNT_WEI) }],
        });
        sign_tx(chain_id, &mut tx, 0, &self.key).expect("a send has slot 0");
        let raw = tx.to_raw();
        Signed { hash: keccak256(&raw), raw }
    }
}
