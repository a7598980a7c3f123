//! The stake token's precompiles: what they do, and what a revert takes back.

use super::super::actors::stranger;
use super::super::random::Random;
use super::*;
use std::collections::BTreeMap;
use vigil_crypto::bls;
use vigil_primitives::{EdgeNode, Stake};

pub(super) fn precompile(number: u8) -> Address {
    Address::with_last_byte(number)
}

pub(super) fn theta(tokens: u64) -> U256 {
    Coins::tokens(tokens, 0).theta
}

/// A node's address, BLS key, proof of possession, and its signature over the proof.
pub(super) fn summary(holder: u16, bls: u8) -> Vec<u8> {
    let secret = bls::SecretKey::from_bytes(&[bls; 32]).expect("a key");
    let proof = secret.prove_possession().to_bytes();
    let signature = key(holder).sign(&keccak256(proof));
    let signature = signature.as_array().expect("65 bytes").to_vec();
    [address(holder).to_vec(), secret.public_key().to_bytes().to_vec(), proof.to_vec(), signature].concat()
}

pub(super) fn guardian_input(summary: &[u8], amount: U256) -> Vec<u8> {
    [summary, &amount.to_be_bytes::<32>()].concat()
}

pub(super) fn edge_input(summary: &[u8], amount: U256) -> Vec<u8> {
    [summary, &[0xaa; 32], &amount.to_be_bytes::<32>()].concat()
}

/// Input of a deposit with a node that is known.
pub(super) fn more(holder: u16) -> Vec<u8> {
    [address(holder).to_vec(), vec![0; 209]].concat()
}

pub(super) fn give(to: Address, amount: U256) -> Do {
    Do::Must(precompile(203), U256::ZERO, [to.to_vec(), amount.to_be_bytes::<32>().to_vec()].concat())
}

pub(super) fn must(number: u8, data: Vec<u8>) -> Do {
    Do::Must(precompile(number), U256::ZERO, data)
}

pub(super) fn asked(chain: &mut Chain, number: u8, about: Address) -> U256 {
    U256::from_be_slice(&chain.call(precompile(number), about.to_vec()).output)
}

pub(super) fn stakes(chain: &Chain, holder: u16) -> Vec<Stake> {
    let pool = queries::guardian_pool(&chain.head.state).expect("reads").unwrap_or_default();
    let guardian = pool.sorted_guardians.into_iter().find(|guardian| guardian.holder.holder == address(holder));
    guardian.map(|guardian| guardian.holder.stakes).unwrap_or_default()
}

pub(super) fn edge_node(chain: &Chain, holder: u16) -> Option<EdgeNode> {
    chain.head.state.decoded(&crate::keys::edge_node(&address(holder))).expect("reads")
}

/// A machine with a million of the stake token and a hundred thousand of the other.
pub(super) fn rich(chain: &mut Chain) -> Address {
    let contract = chain.machine();
    assert!(chain.send_call(2, Some(contract), Coins::tokens(1_000_000, 100_000), script(&[])).success);
    contract
}

#[test]
fn balances_and_stakes() {
    let mut chain = chain();
    assert_eq!(asked(&mut chain, 201, address(2)), theta(10_000_000));
    assert_eq!(asked(&mut chain, 201, stranger(1)), U256::ZERO);
    assert_eq!(asked(&mut chain, 202, address(1)), theta(1_000_000), "a validator's stake");
    for (input, is_whole) in [(vec![0; 12], true), (vec![7; 200], true), (Vec::new(), false)] {
        let input = if is_whole { [input, address(2).to_vec()].concat() } else { address(2)[8..].to_vec() };
        let balance = chain.call(precompile(201), input).output;
        assert_eq!(U256::from_be_slice(&balance), if is_whole { theta(10_000_000) } else { U256::ZERO });
    }
    // Of gas: 21,000, the input's bytes (before EIP-7623 made more of them), and theirs.
    let mut chain = chain_on("cancun");
    let data: u64 = address(2).iter().map(|byte| if *byte == 0 { 4 } else { 16 }).sum();
    for (number, cost) in [(201, 4), (202, 200)] {
        assert_eq!(chain.call(precompile(number), address(2).to_vec()).gas_used, 21_000 + data + cost);
    }
}

#[test]
fn a_person_moves_and_stakes() {
    let mut chain = chain();
    let gift = [stranger(1).to_vec(), theta(7).to_be_bytes::<32>().to_vec()].concat();
    let receipt = chain.call(precompile(203), gift);
    assert_eq!((chain.theta_of(&stranger(1)), chain.theta_of(&address(1))), (theta(7), theta(8_999_993)));
    assert_eq!(receipt.balance_changes.len(), 2);
    let receipt = chain.call(precompile(204), guardian_input(&summary(3, 1), theta(1_000)));
    assert_eq!(receipt.balance_changes.len(), 1, "from a balance into a stake");
    assert_eq!(
        stakes(&chain, 3).iter().map(|s| (s.source, s.amount, s.withdrawn)).collect::<Vec<_>>(),
        [(address(1), theta(1_000), false)]
    );
    assert_eq!(asked(&mut chain, 202, address(1)), theta(1_001_000));
    chain.call(precompile(204), guardian_input(&more(3), theta(1_500)));
    assert_eq!(stakes(&chain, 3)[0].amount, theta(2_500));
    let before = chain.theta_of(&address(1));
    chain.call(precompile(205), address(3).to_vec());
    let due = chain.head.height - 1 + chain.params.return_locking_period;
    assert_eq!((stakes(&chain, 3)[0].withdrawn, stakes(&chain, 3)[0].return_height), (true, due));
    assert_eq!((asked(&mut chain, 202, address(1)), chain.theta_of(&address(1))), (theta(1_000_000), before));
    chain.run_to(due + 1);
    assert_eq!((chain.theta_of(&address(1)), stakes(&chain, 3).len()), (before + theta(2_500), 0));
}

#[test]
fn a_contract_stakes_both_coins() {
    let mut chain = chain();
    let contract = rich(&mut chain);
    chain.run(
        contract,
        &[
            must(204, guardian_input(&summary(3, 1), theta(5_000))),
            must(206, edge_input(&summary(4, 2), theta(10_000))),
        ],
    );
    assert_eq!(stakes(&chain, 3).iter().map(|s| (s.source, s.amount)).collect::<Vec<_>>(), [(contract, theta(5_000))]);
    let node = edge_node(&chain, 4).expect("staked");
    assert_eq!(
        node.holder.stakes.iter().map(|s| (s.source, s.amount)).collect::<Vec<_>>(),
        [(contract, theta(10_000))]
    );
    let balance = chain.account(&contract).balance;
    assert_eq!(balance, Coins::tokens(995_000, 90_000));
    let heights = queries::stake_heights(&chain.head.state).expect("reads");
    chain.run(contract, &[must(205, address(3).to_vec()), must(207, address(4).to_vec())]);
    assert_eq!(queries::stake_heights(&chain.head.state).expect("reads"), heights, "not noted under ls/sthl");
    chain.run_to(chain.head.height + chain.params.return_locking_period);
    assert_eq!(chain.account(&contract).balance, Coins::tokens(1_000_000, 100_000));
    assert_eq!((stakes(&chain, 3).len(), edge_node(&chain, 4)), (0, None));
}

#[test]
fn what_202_gives_within_a_transaction() {
    let mut chain = chain();
    let contract = rich(&mut chain);
    let ask = || Do::Static(precompile(202), contract.to_vec());
    let first = must(204, guardian_input(&summary(3, 1), theta(5_000)));
    let mut staked = |steps: &[Do]| U256::from_be_slice(&chain.run(contract, steps).output);
    assert_eq!(staked(&[ask()]), U256::ZERO);
    assert_eq!(staked(&[ask(), first.clone(), ask()]), theta(5_000));
    assert_eq!(staked(&[must(204, guardian_input(&more(3), theta(1_000))), ask()]), theta(6_000));
    let undone = Do::Call(contract, U256::ZERO, script(&[must(205, address(3).to_vec()), Do::Revert]));
    assert_eq!(staked(&[undone.clone(), ask()]), theta(6_000));
    let seen = Do::Must(contract, U256::ZERO, script(&[must(205, address(3).to_vec()), ask()]));
    assert_eq!(staked(&[undone, ask(), seen]), U256::ZERO, "after the withdrawal in the inner frame");
    assert_eq!(staked(&[ask()]), U256::ZERO);
}

#[test]
fn reverts_take_back_stakes() {
    let mut chain = chain();
    let contract = rich(&mut chain);
    let inner = |steps: &[Do]| Do::Call(contract, U256::ZERO, script(steps));
    let guardian = |holder, bls, tokens| must(204, guardian_input(&summary(holder, bls), theta(tokens)));
    let edge = |holder, bls, tokens| must(206, edge_input(&summary(holder, bls), theta(tokens)));
    let all = |chain: &Chain| {
        let sums = [3, 4].map(|holder| stakes(chain, holder).iter().map(|stake| stake.amount).sum::<U256>());
        let edges = edge_node(chain, 3).map(|node| node.holder.stakes.iter().map(|stake| stake.amount).sum::<U256>());
        (sums, edges, chain.account(&contract).balance)
    };
    let nothing = all(&chain);
    // The outer frame reverts.
    let steps = [guardian(3, 1, 1_000), edge(3, 2, 10_000), Do::Revert];
    assert!(!chain.send_call(1, Some(contract), Coins::ZERO, script(&steps)).success);
    assert_eq!(all(&chain), nothing);
    // An inner one does, and one in between; a key that was registered there is free again.
    chain.run(
        contract,
        &[
            inner(&[guardian(3, 1, 1_000), edge(3, 2, 20_000), Do::Revert]),
            guardian(4, 1, 2_000),
            inner(&[inner(&[guardian(3, 3, 1_000)]), edge(3, 2, 30_000), Do::Revert]),
            inner(&[guardian(3, 3, 3_000), inner(&[must(205, address(4).to_vec()), Do::Revert])]),
            inner(&[must(205, address(3).to_vec()), Do::Revert]),
        ],
    );
    let balance = Coins::tokens(995_000, 100_000);
    assert_eq!(all(&chain), ([theta(3_000), theta(2_000)], None, balance));
    assert!(stakes(&chain, 4).iter().chain(&stakes(&chain, 3)).all(|stake| !stake.withdrawn));
    // Edge nodes' returns, taken back and kept.
    chain.run(
        contract,
        &[
            edge(3, 2, 10_000),
            inner(&[must(207, address(3).to_vec()), Do::Revert]),
            edge(4, 4, 10_000),
            inner(&[must(207, address(4).to_vec()), Do::Revert]),
            must(207, address(3).to_vec()),
            inner(&[must(207, address(4).to_vec()), Do::Revert]),
        ],
    );
    chain.run_to(chain.head.height + chain.params.return_locking_period);
    assert_eq!((edge_node(&chain, 3), edge_node(&chain, 4).map(|node| node.holder.stakes.len())), (None, Some(1)));
    assert_eq!(chain.account(&contract).balance, Coins::tokens(995_000, 90_000));
}

/// What a random tree of frames should do.
#[derive(Clone, Default)]
struct Model {
    theta: BTreeMap<Address, U256>,
    staked: BTreeMap<(Address, u16), U256>,
    withdrawn: BTreeMap<(Address, u16), U256>,
}

impl Model {
    /// Random steps of a frame of `me`, and whether it reverts; the model follows.
    fn frame(&mut self, random: &mut Random, machines: &[Address; 2], me: Address, depth: u32) -> Vec<Do> {
        let mut steps = Vec::new();
        for _ in 0..1 + random.below(5) {
            let holder = 2 + random.below(3) as u16;
            let tokens = theta(1_000 + random.below(3_000));
            let place = (me, holder);
            match random.below(5) {
                0 if depth < 4 => {
                    let other = machines[random.below(2) as usize];
                    let mut after = self.clone();
                    let mut inner = after.frame(random, machines, other, depth + 1);
                    if random.below(2) == 0 {
                        inner.push(Do::Revert);
                        steps.push(Do::Fail(other, U256::ZERO, script(&inner)));
                    } else {
                        *self = after;
                        steps.push(Do::Must(other, U256::ZERO, script(&inner)));
                    }
                }
                1 if self.theta[&me] >= tokens => {
                    let other = machines[random.below(2) as usize];
                    *self.theta.get_mut(&me).expect("known") -= tokens;
                    *self.theta.get_mut(&other).expect("known") += tokens;
                    steps.push(give(other, tokens));
                }
                2 if self.staked.contains_key(&place) => {
                    let amount = self.staked.remove(&place).expect("known");
                    self.withdrawn.insert(place, amount);
                    steps.push(must(205, address(holder).to_vec()));
                }
                _ if self.theta[&me] >= tokens && !self.withdrawn.contains_key(&place) => {
                    *self.theta.get_mut(&me).expect("known") -= tokens;
                    *self.staked.entry(place).or_default() += tokens;
                    steps.push(must(204, guardian_input(&more(holder), tokens)));
                }
                _ => {}
            }
        }
        steps
    }
}

/// Trees of frames that stake, move and revert, against a model that copies itself.
#[test]
fn random_trees_of_frames() {
    let mut random = Random(0x5eed_0002);
    eprintln!("seed {:#x}", random.0);
    for _ in 0..12 {
        // Nothing returns meanwhile.
        let mut chain = Chain::new(ChainParams { return_locking_period: 1_000, ..params() }, 5);
        let machines = [rich(&mut chain), rich(&mut chain)];
        for holder in 2..5 {
            chain.call(precompile(204), guardian_input(&summary(holder, holder as u8), theta(1_000)));
        }
        let mut model = Model::default();
        model.theta.extend(machines.map(|machine| (machine, theta(1_000_000))));
        for _ in 0..3 {
            let steps = model.frame(&mut random, &machines, machines[0], 0);
            let call = Call::new(1, chain.sequence(1) + 1, Some(machines[0]), script(&steps)).gas(20_000_000);
            let receipt = chain.calls(&[call]).remove(0);
            assert!(receipt.success, "{} {steps:?}", receipt.error);
        }
        for machine in machines {
            assert_eq!(chain.theta_of(&machine), model.theta[&machine]);
            let staked: U256 = model.staked.iter().filter(|((source, _), _)| *source == machine).map(|(_, a)| *a).sum();
            assert_eq!(asked(&mut chain, 202, machine), staked);
        }
        for holder in 2..5u16 {
            for stake in stakes(&chain, holder).iter().filter(|stake| machines.contains(&stake.source)) {
                let place = (stake.source, holder);
                let known = if stake.withdrawn { model.withdrawn.remove(&place) } else { model.staked.remove(&place) };
                assert_eq!(known, Some(stake.amount));
            }
        }
        assert!(model.staked.is_empty() && model.withdrawn.is_empty(), "all are in the pool");
    }
}
