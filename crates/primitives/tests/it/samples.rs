//! Values of every type from a seed, small and plain: the shared source of conformance hashes and properties.

use vigil_primitives::*;
use vigil_testkit::ethereum::{EthTx, type_12};

/// A stream of numbers from a seed: Keccak of a counter. Not for secrets.
pub(crate) struct Samples {
    seed: u64,
    count: u64,
}

impl Samples {
    pub(crate) fn new(seed: u64) -> Self {
        Self { seed, count: 0 }
    }

    pub(crate) fn hash(&mut self) -> Hash {
        self.count += 1;
        keccak256([self.seed.to_be_bytes(), self.count.to_be_bytes()].concat())
    }

    /// Any number, with many small ones.
    pub(crate) fn number(&mut self) -> u64 {
        let hash = self.hash();
        let wide = u64::from_be_bytes(hash[..8].try_into().unwrap());
        wide.checked_shr(u32::from(hash[8])).unwrap_or(0)
    }

    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        u64::from_be_bytes(self.hash()[..8].try_into().unwrap()) % bound
    }

    pub(crate) fn amount(&mut self) -> U256 {
        let shift = self.below(300) as usize;
        U256::from_be_bytes(self.hash().0).checked_shr(shift).unwrap_or_default()
    }

    pub(crate) fn bytes(&mut self, max: u64) -> Bytes {
        let length = self.below(max + 1) as usize;
        let mut bytes = Vec::with_capacity(length + 32);
        while bytes.len() < length {
            bytes.extend_from_slice(self.hash().as_slice());
        }
        bytes.truncate(length);
        bytes.into()
    }

    pub(crate) fn text(&mut self, max: u64) -> String {
        self.bytes(max).iter().map(|b| char::from(b % 95 + 32)).collect()
    }

    pub(crate) fn list<T>(&mut self, max: u64, mut item: impl FnMut(&mut Self) -> T) -> Vec<T> {
        (0..self.below(max + 1)).map(|_| item(self)).collect()
    }

    pub(crate) fn address(&mut self) -> Address {
        Address::from_slice(&self.hash()[..20])
    }

    pub(crate) fn coins(&mut self) -> Coins {
        Coins::new(self.amount(), self.amount())
    }

    pub(crate) fn signature(&mut self) -> Signature {
        match self.below(4) {
            0 => Signature::none(),
            1 => Signature(self.bytes(70)),
            _ => Signature(Bytes::from(
                [self.hash().0, self.hash().0].concat().into_iter().chain([1]).collect::<Vec<_>>(),
            )),
        }
    }

    pub(crate) fn input(&mut self) -> TxInput {
        TxInput { address: self.address(), coins: self.coins(), sequence: self.number(), signature: self.signature() }
    }

    pub(crate) fn output(&mut self) -> TxOutput {
        TxOutput { address: self.address(), coins: self.coins() }
    }

    pub(crate) fn split(&mut self) -> Split {
        Split { address: self.address(), percentage: self.below(101) }
    }

    pub(crate) fn payment(&mut self) -> ServicePayment {
        ServicePayment {
            fee: self.coins(),
            source: self.input(),
            target: self.input(),
            payment_sequence: self.number(),
            reserve_sequence: self.number(),
            resource_id: self.text(40),
        }
    }

    /// One of Ethereum's typed transactions.
    pub(crate) fn eth_tx(&mut self) -> EthTx {
        EthTx {
            eth_type: 1 + self.below(2) as u8,
            chain_id: self.amount(),
            nonce: self.number().min(u64::MAX - 1),
            max_priority_fee_per_gas: self.amount(),
            max_fee_per_gas: self.amount(),
            gas_limit: self.number(),
            to: self.list(1, Self::address).pop(),
            value: self.amount(),
            data: self.bytes(100),
            access_list: self.list(3, |s| (s.address(), s.list(3, Self::hash))),
        }
    }

    /// `[parity, r, s]`.
    pub(crate) fn eth_tail(&mut self) -> [U256; 3] {
        [U256::from(self.below(2)), self.amount(), self.amount()]
    }

    /// A transaction of type 0 to 12.
    pub(crate) fn tx(&mut self, tx_type: u8) -> Tx {
        let (fee, source) = (self.coins(), self.input());
        match tx_type {
            0 => {
                let outputs = self.list(4, Self::output);
                Tx::Coinbase(Coinbase { proposer: source, outputs, block_height: self.number() })
            }
            1 => Tx::Slash(Slash {
                proposer: source,
                slashed_address: self.address(),
                reserve_sequence: self.number(),
                slash_proof: self.bytes(60),
            }),
            2 => {
                let inputs = self.list(4, Self::input);
                Tx::Send(Send { fee, inputs, outputs: self.list(4, Self::output) })
            }
            3 => {
                let resource_ids = self.list(4, |s| s.text(20));
                let (collateral, duration) = (self.coins(), self.number());
                Tx::ReserveFund(ReserveFund { fee, source, collateral, resource_ids, duration })
            }
            4 => Tx::ReleaseFund(ReleaseFund { fee, source, reserve_sequence: self.number() }),
            5 => Tx::ServicePayment(self.payment()),
            6 => {
                let splits = self.list(4, Self::split);
                let (resource_id, duration) = (self.text(20), self.number());
                Tx::SplitRule(SplitRuleTx { fee, resource_id, initiator: source, splits, duration })
            }
            7 => {
                let (to, gas_limit, gas_price) = (self.output(), self.number(), self.amount());
                Tx::SmartContract(SmartContract { from: source, to, gas_limit, gas_price, data: self.bytes(100) })
            }
            8 => {
                let (holder, purpose) = (self.output(), self.below(4) as u8);
                Tx::DepositStake(DepositStake { fee, source, holder, purpose })
            }
            9 => {
                let (holder, purpose) = (self.output(), self.below(4) as u8);
                Tx::WithdrawStake(WithdrawStake { fee, source, holder, purpose })
            }
            10 => {
                let (holder, purpose) = (self.output(), self.below(4) as u8);
                let (bls_pubkey, bls_pop, holder_sig) = (self.bytes(48), self.bytes(96), self.signature());
                Tx::DepositStakeV2(DepositStakeV2 { fee, source, holder, purpose, bls_pubkey, bls_pop, holder_sig })
            }
            11 => {
                let (beneficiary, split_basis_point) = (self.output(), self.below(1_001));
                Tx::StakeRewardDistribution(StakeRewardDistribution {
                    fee,
                    holder: source,
                    beneficiary,
                    split_basis_point,
                })
            }
            _ => {
                let raw = self.eth_tx().with_tail(&self.eth_tail());
                Tx::from_raw(&type_12(&raw)).expect("a typed transaction")
            }
        }
    }

    pub(crate) fn vote(&mut self) -> Vote {
        Vote {
            height: self.number(),
            block_hash: self.hash(),
            block_epoch: self.number(),
            source_set: self.number(),
            source_height: self.number(),
            source_hash: self.hash(),
            voter: self.address(),
            signature: self.signature(),
        }
    }

    pub(crate) fn header(&mut self) -> BlockHeader {
        let mut header = BlockHeader {
            chain_id: self.text(20),
            epoch: self.number(),
            height: self.number(),
            parent: self.hash(),
            hcc: Hcc { votes: self.list(5, Self::vote), block_hash: self.hash() },
            tx_root: self.hash(),
            receipt_root: EMPTY_TRIE_ROOT,
            bloom: Box::default(),
            state_root: self.hash(),
            timestamp: self.number(),
            proposer: self.address(),
            signature: self.signature(),
            finality: self.list(1, Self::votes).pop().map(Box::new),
        };
        if header.height == 0 {
            header.receipt_root = Hash::ZERO;
        }
        header
    }

    /// A header of a block with receipts.
    pub(crate) fn header_with_receipts(&mut self) -> BlockHeader {
        let bloom: Vec<u8> = (0..8).flat_map(|_| self.hash().0).collect();
        BlockHeader { receipt_root: self.hash(), bloom: Box::new(Bloom::from_slice(&bloom)), ..self.header() }
    }

    pub(crate) fn votes(&mut self) -> AggregatedVotes {
        let (resets, height) = (self.number(), self.number());
        let checkpoint = Checkpoint { resets, height, block_hash: self.hash(), set_hash: self.hash() };
        let signature = BlsSignatureBytes::from_slice(&[self.hash(), self.hash(), self.hash()].concat());
        AggregatedVotes { checkpoint, signers: self.bytes(300), signature }
    }

    pub(crate) fn block(&mut self) -> Block {
        let mut block = Block { header: self.header(), txs: self.list(6, |s| s.bytes(200)) };
        block.txs.retain(|tx| !tx.is_empty());
        block
    }

    pub(crate) fn account(&mut self) -> Account {
        let mut account = Account::new(self.address(), self.number());
        account.sequence = self.number();
        account.balance = self.coins();
        account.reserved_funds = self.list(3, |s| ReservedFund {
            collateral: s.coins(),
            initial_fund: s.coins(),
            used_fund: s.coins(),
            resource_ids: s.list(3, |s| s.text(20)),
            end_block_height: s.number(),
            reserve_sequence: s.number(),
            transfer_records: s.list(2, |s| TransferRecord { service_payment: s.payment() }),
        });
        (account.storage_root, account.code_hash) = (self.hash(), self.hash());
        account
    }

    pub(crate) fn split_rule(&mut self) -> SplitRule {
        SplitRule {
            initiator: self.address(),
            resource_id: self.text(20),
            splits: self.list(4, Self::split),
            end_block_height: self.number(),
        }
    }

    pub(crate) fn holder(&mut self) -> StakeHolder {
        let stake = |s: &mut Self| Stake {
            source: s.address(),
            amount: s.amount(),
            withdrawn: s.below(2) == 1,
            return_height: if s.below(2) == 1 { s.number() } else { ACTIVE_RETURN_HEIGHT },
        };
        StakeHolder { holder: self.address(), stakes: self.list(4, stake) }
    }

    pub(crate) fn guardian(&mut self) -> Guardian {
        Guardian { holder: self.holder(), bls_pubkey: self.bytes(48) }
    }
}
