//! A node that is not one: fixed values for every read.

use crate::values::{address, deposit, hash, holder, payment, send, stakes};
use async_trait::async_trait;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use vigil_primitives::{
    Account, Address, Block, BlockHeader, BlsSignatureBytes, Bytes, Checkpoint, Coins, EdgeNode, FinalityCert,
    Guardian, GuardianPool, Hash, Hcc, ReservedFund, RewardDistribution, SmartContract, Split, SplitRule,
    TransferRecord, U256, ValidatorPool, Vote, keccak256,
};
use vigil_rpc::{
    AtBlock, Backend, BackendError, BlockInfo, BlockLinks, BlockStatus, Card, CertAt, CertInfo, ContractRun,
    GuardianInfo, Read, StakeReturn, StateAt, Status, TxPlace, Validators, Version,
};

/// The node. Settled blocks 1 to 10 have the hashes `01..`, `02..`; 11 is committed, 12 and 12' are its children.
#[derive(Default)]
pub(crate) struct Fake {
    /// Raw transactions that were broadcast.
    pub(crate) sent: Mutex<Vec<Bytes>>,
    /// Makes `broadcast_and_wait` wait forever.
    pub(crate) never_settles: bool,
    /// Makes each block this many bytes larger than it is, by a long chain id.
    pub(crate) padding: usize,
    /// Reads of blocks that are held back until this many were asked for at once.
    pub(crate) hold: Option<Arc<tokio::sync::Barrier>>,
    /// How often `block_at` was called.
    pub(crate) reads: AtomicUsize,
    /// Block 5 holds a transaction of each type.
    pub(crate) all_types: bool,
    /// Guardians have finalized nothing, and the node is none.
    pub(crate) nothing_final: bool,
    /// Its machine has two cards, one of them quarantined.
    pub(crate) has_cards: bool,
    /// Text of `not_ready`.
    pub(crate) reason: Option<String>,
}

impl Fake {
    fn info(&self, height: u64, hash: Hash, status: BlockStatus) -> BlockInfo {
        let votes = vec![Vote {
            height: height.saturating_sub(1),
            block_hash: Hash::repeat_byte(height.saturating_sub(1) as u8),
            block_epoch: height + 4,
            source_set: 0,
            source_height: 0,
            source_hash: Hash::ZERO,
            voter: address(0x77),
            signature: [0x77; 65].into(),
        }];
        let header = BlockHeader {
            chain_id: format!("privatenet{}", "x".repeat(self.padding)),
            epoch: height + 5,
            height,
            parent: Hash::repeat_byte(height.saturating_sub(1) as u8),
            hcc: Hcc { votes, block_hash: Hash::repeat_byte(height.saturating_sub(1) as u8) },
            tx_root: self::hash(0xaa),
            state_root: self::hash(0xbb),
            timestamp: 1_700_000_000 + height,
            proposer: address(0xcc),
            signature: [0xdd; 65].into(),
            ..BlockHeader::default()
        };
        let txs = match height {
            5 if self.all_types => crate::txs::one_of_each(),
            5 => vec![send(), deposit()],
            _ => vec![],
        };
        let receipts = crate::txs::receipts(&txs);
        let txs = txs.iter().map(|tx| tx.to_raw().into()).collect();
        BlockInfo {
            hash,
            block: Arc::new(Block { header, txs }),
            receipts: receipts.into(),
            children: children(height),
            status,
            guardian_finalized: height <= 4,
        }
    }
}

fn children(height: u64) -> Vec<Hash> {
    match height {
        0..=10 => vec![Hash::repeat_byte(height as u8 + 1)],
        11 => vec![hash(12), hash(0xc0)],
        _ => vec![],
    }
}

fn status_of(height: u64) -> BlockStatus {
    match height {
        0 => BlockStatus::Trusted,
        1..=9 => BlockStatus::IndirectlySettled,
        10 => BlockStatus::DirectlySettled,
        11 => BlockStatus::Committed,
        _ => BlockStatus::Valid,
    }
}

/// Height of `nn..nn`, if it is one of the blocks.
fn height_of(hash: Hash) -> Option<u64> {
    let height = hash[0];
    (hash == Hash::repeat_byte(height) && height <= 12).then_some(height.into())
}

fn cert_info() -> CertInfo {
    let checkpoint = Checkpoint { resets: 1, height: 4, block_hash: hash(4), set_hash: hash(0xdd) };
    let signature = BlsSignatureBytes::repeat_byte(7);
    let cert = FinalityCert { checkpoint, signers: Bytes::from_static(&[0, 0xe0]), signature };
    CertInfo { cert, signers: 3, guardians: 4, weight: 3 << 80, total_weight: 4 << 80 }
}

fn refuse(text: &str) -> BackendError {
    BackendError::new(text)
}

#[async_trait]
impl Backend for Fake {
    fn version(&self) -> Version {
        Version { version: "0.1.0".into(), git_hash: "abc".into(), timestamp: "now".into() }
    }

    fn chain_number(&self) -> U256 {
        U256::from(366)
    }

    async fn status(&self) -> Result<Status, BackendError> {
        Ok(Status {
            address: "0x2E833968E5bB786Ae419c4d13189fB081Cc43bab".parse().expect("an address"),
            chain_id: "privatenet".into(),
            peer_id: "12D3".into(),
            settled_hash: hash(10),
            settled_height: 10,
            settled_time: 1_700_000_010,
            settled_epoch: 15,
            current_epoch: 17,
            current_height: 11,
            current_hash: hash(11),
            current_time: 1_700_000_012,
            syncing: false,
            tip_hash: hash(12),
            genesis_hash: hash(0xee),
            snapshot_height: 0,
            snapshot_hash: hash(0xee),
            finalized: (!self.nothing_final).then_some((4, hash(4))),
        })
    }

    async fn not_ready(&self) -> Option<String> {
        self.reason.clone()
    }

    fn cards(&self) -> Vec<Card> {
        let card = |number: u32, why_not: Option<&str>| Card {
            name: format!("cuda {number}: H"),
            backend: "cuda".into(),
            why_not: why_not.map(Into::into),
            is_faulty: why_not.is_some(),
            faults: number,
        };
        if self.has_cards { vec![card(0, None), card(1, Some("a digest is wrong"))] } else { Vec::new() }
    }

    async fn account(&self, asked: Address, at: StateAt) -> Result<Read<Account>, BackendError> {
        if asked != address(0x11) {
            return Ok(Read::Missing);
        }
        let mut account = Account::new(asked, 3);
        account.balance = Coins::tokens(12, 50);
        account.sequence = match at {
            StateAt::Settled => 1,
            StateAt::Screened => 2,
            StateAt::Height(1) => return Ok(Read::Pruned),
            StateAt::Height(99) => return Ok(Read::NoBlock),
            StateAt::Height(height) => 100 + height,
        };
        account.reserved_funds = vec![ReservedFund {
            collateral: Coins::tfuel(U256::from(1001)),
            initial_fund: Coins::tfuel(U256::from(1000)),
            used_fund: Coins::tfuel(U256::from(8)),
            resource_ids: vec!["rid".into()],
            end_block_height: 500,
            reserve_sequence: 5,
            transfer_records: vec![TransferRecord { service_payment: payment() }],
        }];
        Ok(Read::Found(account))
    }

    async fn code(&self, asked: Address, _at: StateAt) -> Result<Read<Bytes>, BackendError> {
        Ok(match asked[0] {
            0x11 => Read::Found(Bytes::new()),
            0x44 => Read::Found(Bytes::from_static(&[0x60, 0x80])),
            _ => Read::Missing,
        })
    }

    async fn storage(&self, asked: Address, position: Hash, _at: StateAt) -> Result<Read<Hash>, BackendError> {
        Ok(if asked[0] == 0x44 { Read::Found(position) } else { Read::Missing })
    }

    async fn split_rule(&self, resource_id: &str) -> Result<Option<SplitRule>, BackendError> {
        let splits = vec![Split { address: address(0x22), percentage: 30 }];
        let (initiator, resource_id) = (address(0x11), resource_id.to_owned());
        let found = resource_id.starts_with("rid");
        Ok(found.then_some(SplitRule { initiator, resource_id, splits, end_block_height: 77 }))
    }

    async fn transaction(&self, asked: Hash) -> Result<TxPlace, BackendError> {
        let raw = Bytes::from(send().to_raw());
        let receipt = None;
        Ok(match asked[0] {
            7 | 12 => {
                let tx = crate::txs::one_of_each().swap_remove(asked[0].into());
                let [receipt] = crate::txs::receipts(std::slice::from_ref(&tx)).try_into().expect("one");
                TxPlace::InBlock {
                    block_hash: hash(5),
                    height: 5,
                    status: status_of(5),
                    guardian_finalized: false,
                    raw: tx.to_raw().into(),
                    receipt: Some(Box::new(receipt)),
                }
            }
            _ if asked == keccak256(&raw) => TxPlace::InBlock {
                block_hash: hash(5),
                height: 5,
                status: status_of(5),
                guardian_finalized: false,
                raw,
                receipt,
            },
            1 => TxPlace::InBlock {
                block_hash: hash(11),
                height: 11,
                status: status_of(11),
                guardian_finalized: false,
                raw,
                receipt,
            },
            6 => TxPlace::InBlock {
                block_hash: hash(4),
                height: 4,
                status: status_of(4),
                guardian_finalized: true,
                raw,
                receipt,
            },
            2 => TxPlace::Pending,
            3 => TxPlace::Abandoned,
            _ => TxPlace::Unknown,
        })
    }

    async fn pending_transactions(&self) -> Result<Vec<Hash>, BackendError> {
        Ok(vec![hash(1)])
    }

    async fn block(&self, asked: Hash) -> Result<Option<BlockInfo>, BackendError> {
        Ok(height_of(asked).map(|height| self.info(height, asked, status_of(height))))
    }

    async fn block_links(&self, asked: Hash) -> Result<Option<BlockLinks>, BackendError> {
        Ok(height_of(asked).map(|height| BlockLinks {
            parent: Hash::repeat_byte(height.saturating_sub(1) as u8),
            children: children(height),
            status: status_of(height),
        }))
    }

    async fn block_at(&self, height: u64, unsettled: bool) -> Result<Option<BlockInfo>, BackendError> {
        self.reads.fetch_add(1, Ordering::Relaxed);
        if let Some(barrier) = &self.hold {
            barrier.wait().await;
        }
        let known = if self.padding > 0 {
            10_000
        } else if unsettled {
            12
        } else {
            10
        };
        let hash = Hash::repeat_byte(height as u8);
        Ok((height <= known).then(|| self.info(height, hash, status_of(height))))
    }

    async fn finality_cert(&self, height: Option<u64>) -> Result<CertAt, BackendError> {
        let height = match height {
            None => 4,
            Some(height @ 2..=10) if height % 2 == 0 => height,
            Some(_) => return Ok(CertAt::NoCheckpoint { interval: 2 }),
        };
        Ok(match height {
            _ if self.nothing_final => CertAt::NotFinal { highest: 0 },
            2 => CertAt::Passed { by: 4 },
            4 => CertAt::Found(Box::new(cert_info())),
            _ => CertAt::NotFinal { highest: 4 },
        })
    }

    fn guardian(&self) -> Option<GuardianInfo> {
        (!self.nothing_final).then(|| GuardianInfo {
            address: "0x2E833968E5bB786Ae419c4d13189fB081Cc43bab".parse().expect("an address"),
            bls_pubkey: Bytes::from_static(&[1; 48]),
            bls_pop: Bytes::from_static(&[2; 96]),
            signature: [3; 65].into(),
        })
    }

    async fn validator_pools(&self, height: u64) -> Result<Read<Vec<AtBlock<Validators>>>, BackendError> {
        if height == 1 {
            return Ok(Read::Pruned);
        }
        if height > 12 {
            return Ok(Read::NoBlock);
        }
        let pool = ValidatorPool { sorted_candidates: vec![holder(0xcc, stakes()), holder(0xcd, vec![])] };
        let value = Validators { pool, heights: vec![0, 4] };
        Ok(Read::Found(vec![AtBlock { block_hash: hash(height as u8), value }]))
    }

    async fn guardian_pools(&self, height: u64) -> Result<Read<Vec<AtBlock<GuardianPool>>>, BackendError> {
        let guardian = Guardian { holder: holder(0xdd, stakes()), bls_pubkey: Bytes::from_static(&[1; 48]) };
        let value = GuardianPool { sorted_guardians: vec![guardian] };
        Ok(Read::Found(vec![AtBlock { block_hash: hash(height as u8), value }]))
    }

    async fn edge_nodes(&self, height: u64) -> Result<Read<Option<AtBlock<Vec<EdgeNode>>>>, BackendError> {
        let node = EdgeNode { holder: holder(0xde, stakes()), bls_pubkey: Bytes::from_static(&[1; 48]) };
        Ok(match height {
            99 => Read::NoBlock,
            _ => Read::Found(Some(AtBlock { block_hash: hash(height as u8), value: vec![node] })),
        })
    }

    async fn reward_distributions(
        &self,
        height: u64,
        wanted: Option<Address>,
    ) -> Result<Read<Vec<AtBlock<Vec<RewardDistribution>>>>, BackendError> {
        let rule =
            RewardDistribution { stake_holder: address(0xcc), beneficiary: address(0x22), split_basis_point: 500 };
        let value = if wanted.is_none_or(|w| w == rule.stake_holder) { vec![rule] } else { vec![] };
        Ok(Read::Found(vec![AtBlock { block_hash: hash(height as u8), value }]))
    }

    async fn stake_returns(&self, height: u64) -> Result<Vec<StakeReturn>, BackendError> {
        let stake = stakes().remove(1);
        Ok(if height == 28_800 { vec![StakeReturn { holder: address(0xde), stake }] } else { vec![] })
    }

    async fn pending_stake_returns(&self) -> Result<Vec<(u64, Vec<StakeReturn>)>, BackendError> {
        Ok(vec![(28_800, self.stake_returns(28_800).await?)])
    }

    async fn peers(&self) -> Result<Vec<String>, BackendError> {
        Ok(vec!["12D3a".into(), "12D3b".into()])
    }

    async fn peer_urls(&self) -> Result<Vec<String>, BackendError> {
        Ok((0..300).map(|i| format!("10.0.0.{i}:30001")).collect())
    }

    /// Whoever pays no gas is out of it; a call answers its input, a creation makes `55..`.
    async fn run_contract(&self, tx: SmartContract) -> Result<ContractRun, BackendError> {
        let contract = if tx.to.address.is_zero() { address(0x55) } else { tx.to.address };
        Ok(match tx.gas_limit {
            0 => ContractRun { error: "out of gas".into(), ..ContractRun::default() },
            limit if limit > 20_000_000 => {
                return Err(refuse("Invalid gas limit. Gas limit needs to be at most 20000000"));
            }
            gas_used => ContractRun { output: tx.data, contract, gas_used, error: String::new() },
        })
    }

    async fn broadcast(&self, raw: Bytes) -> Result<Hash, BackendError> {
        let mut sent = self.sent.lock().expect("no test panics with the lock");
        if raw.is_empty() {
            return Err(refuse("Error decoding tx: EOF"));
        }
        if raw.as_ref() == b"<>&" {
            return Err(refuse("a <b> & c"));
        }
        let hash = keccak256(&raw);
        sent.push(raw);
        Ok(hash)
    }

    async fn broadcast_and_wait(&self, raw: Bytes) -> Result<(Hash, BlockHeader), BackendError> {
        let hash = self.broadcast(raw).await?;
        if self.never_settles {
            std::future::pending::<()>().await;
        }
        Ok((hash, self.info(6, self::hash(6), BlockStatus::DirectlySettled).block.header.clone()))
    }
}
