//! The genesis state.

use super::actors::{Chain, address, genesis, params, stranger};
use super::guards::{guarded, guardian, guardian_source};
use crate::{GenesisStateError, Supply, check_supply, genesis_state, queries};
use vigil_primitives::{ChainParams, Coins, Genesis, GenesisAccount, GenesisError, Hash, U256};
use vigil_trie::ScalarHasher;

#[test]
fn state_and_header() {
    let chain = Chain::new(params(), 3);
    let state = &chain.head.state;
    let one = chain.account(&address(1));
    assert_eq!(one.balance, Coins::tokens(9_000_000, 50_000_000), "the stake left the balance");
    assert_eq!((one.sequence, one.last_updated_block_height), (0, 0));
    assert_eq!(chain.validators, [(address(1), Coins::tokens(1_000_000, 0).theta)]);
    assert_eq!(queries::params(state).expect("reads"), Some(params()));
    assert_eq!(queries::genesis_supply(state).expect("reads"), Coins::tokens(30_000_000, 150_000_000));
    assert_eq!(queries::stake_heights(state).expect("reads"), [0]);
    assert_eq!(queries::guardian_pool(state).expect("reads"), None);
    check_supply(state, &Supply::default()).expect("every coin is accounted for");
    let header = genesis_state(&genesis(params(), 3), &ScalarHasher).expect("a genesis").header;
    assert_eq!((header.height, header.epoch, header.parent, header.tx_root), (0, 0, Hash::ZERO, Hash::ZERO));
    assert_eq!(header.state_root, state.root());
}

#[test]
fn every_rule_is_in_the_hash() {
    let hash = |params: ChainParams| genesis_state(&genesis(params, 1), &ScalarHasher).expect("valid").header.hash();
    let base = hash(params());
    assert_ne!(base, hash(ChainParams { inflation_basis_points: 501, ..params() }));
    assert_ne!(base, hash(ChainParams { checkpoint_interval: 6, ..params() }));
    assert_ne!(base, hash(ChainParams { chain_id: "other".into(), ..params() }));
    assert_eq!(base, hash(params()));
}

#[test]
fn refuses_what_cannot_start() {
    let mut unstaked = genesis(params(), 1);
    unstaked.stakes.clear();
    let refused = genesis_state(&unstaked, &ScalarHasher);
    assert!(matches!(refused, Err(GenesisStateError::Genesis(GenesisError::NoValidators))));

    // 10 million tokens: 6,250 stakes of 1,600 fit a coinbase, 6,666 of 1,500 do not.
    let stakes = |validator_deposit_min| {
        genesis_state(&genesis(ChainParams { validator_deposit_min, ..params() }, 1), &ScalarHasher)
    };
    assert!(stakes(1_600).is_ok());
    assert!(matches!(stakes(1_500), Err(GenesisStateError::Stakes { .. })));

    let with = |wei: U256| {
        let mut genesis = genesis(params(), 1);
        genesis.accounts.push(GenesisAccount { address: stranger(1), theta: U256::ZERO, tfuel: wei });
        genesis_state(&genesis, &ScalarHasher)
    };
    let held = Coins::tokens(0, 50_000_000).tfuel;
    let limit = (U256::from(1) << 128) - U256::from(1) - held;
    assert!(with(limit).is_ok(), "at the limit of 128 bits");
    assert!(matches!(with(limit + U256::from(1)), Err(GenesisStateError::Supply { coin: "operational", .. })));
    assert!(matches!(with(U256::MAX), Err(GenesisStateError::Supply { .. })), "no overflow");
}

#[test]
fn guardians_from_the_start() {
    let file = guarded(params(), 2, &[10, 20, 30]);
    let mut chain = Chain::of(&file);
    assert_eq!(chain.set().total(), 60_000 * vigil_primitives::WEI);
    assert_eq!(chain.set().members().len(), 3);
    assert_eq!(chain.account(&guardian_source(1)).balance, Coins::ZERO);
    check_supply(&chain.head.state, &Supply::default()).expect("every coin is accounted for");
    chain.step_all(&[chain.joins(2, 1, 1)]);
    assert_eq!(chain.set().total(), 61_000 * vigil_primitives::WEI);

    let refused = |change: fn(&mut Genesis)| {
        let mut file = guarded(params(), 2, &[10, 20, 30]);
        change(&mut file);
        genesis_state(&file, &ScalarHasher).expect_err("refused").to_string()
    };
    let error = refused(|g| g.guardians[0].bls_pop = g.guardians[1].bls_pop);
    assert!(error.contains(&guardian(0).to_string()) && error.contains("proves nothing"), "{error}");
    let error = refused(|g| g.guardians[2].bls_pubkey.0[5] ^= 1);
    assert!(error.contains(&guardian(2).to_string()) && error.contains("bls_pubkey: "), "{error}");
    let error = refused(|g| g.guardians[2].bls_pop.0[5] ^= 1);
    assert!(error.contains("bls_pop: "), "{error}");
    let error = refused(|g| g.guardians[2].bls_pubkey = g.guardians[1].bls_pubkey);
    assert!(error.contains("one key each"), "{error}");
}
