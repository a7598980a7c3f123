//! The genesis file: JSON and rules.

use vigil_primitives::*;

fn genesis() -> Genesis {
    let account = |b: u8, tokens: u64| GenesisAccount {
        address: Address::repeat_byte(b),
        theta: Coins::tokens(tokens, 0).theta,
        tfuel: U256::from(b),
    };
    let stake = |b: u8, holder: u8| GenesisStake {
        source: Address::repeat_byte(b),
        holder: Address::repeat_byte(holder),
        amount: Coins::tokens(200_000, 0).theta,
    };
    Genesis {
        params: ChainParams::default(),
        timestamp: 1_790_000_000,
        accounts: vec![account(1, 400_000), account(2, 0)],
        stakes: vec![stake(1, 8), stake(1, 9)],
        guardians: Vec::new(),
    }
}

#[test]
fn json_roundtrip() {
    let genesis = genesis();
    let text = serde_json::to_string_pretty(&genesis).unwrap();
    assert!(text.contains("\"400000000000000000000000\""), "amounts are decimal text: {text}");
    assert_eq!(serde_json::from_str::<Genesis>(&text).unwrap(), genesis);
    assert_eq!(genesis.validate(), Ok(()));
}

#[test]
fn missing_params_take_defaults_and_unknown_keys_are_named() {
    let params: ChainParams = serde_json::from_str(r#"{"chain_id": "sky", "forks": {"theta3": 7}}"#).unwrap();
    assert_eq!((params.chain_id.as_str(), params.forks.theta3, params.checkpoint_interval), ("sky", 7, 100));
    let error = serde_json::from_str::<ChainParams>(r#"{"block_intervall_ms": 5}"#).unwrap_err().to_string();
    assert!(error.contains("block_intervall_ms"), "{error}");
    let error = serde_json::from_str::<Forks>(r#"{"theta4": 5}"#).unwrap_err().to_string();
    assert!(error.contains("theta4"), "{error}");
}

#[test]
fn amounts_are_decimal_text_only() {
    let text = serde_json::to_string(&genesis()).unwrap();
    for bad in [r#""0x10""#, r#""-1""#, r#""""#, r#""1e3""#, "5", r#"" 1""#] {
        let changed = text.replacen(r#""400000000000000000000000""#, bad, 1);
        assert!(serde_json::from_str::<Genesis>(&changed).is_err(), "{bad}");
    }
    let above = format!("\"{}0\"", U256::MAX);
    assert!(serde_json::from_str::<Genesis>(&text.replacen(r#""400000000000000000000000""#, &above, 1)).is_err());
}

#[test]
fn rules_of_the_file() {
    let broken = |change: fn(&mut Genesis)| {
        let mut genesis = genesis();
        change(&mut genesis);
        genesis.validate().unwrap_err()
    };
    let (one, nine) = (Address::repeat_byte(1), Address::repeat_byte(9));
    assert_eq!(broken(|g| g.stakes.clear()), GenesisError::NoValidators);
    assert_eq!(broken(|g| g.accounts[1].address = g.accounts[0].address), GenesisError::DuplicateAccount(one));
    let twice = GenesisError::DuplicateStake { source_address: one, holder: nine };
    assert_eq!(broken(|g| g.stakes[0].holder = g.stakes[1].holder), twice);
    let (staked, balance) = (Coins::tokens(400_000, 0).theta, Coins::tokens(400_000, 0).theta - U256::from(1));
    let over = GenesisError::Overstaked { source_address: one, staked, balance };
    assert_eq!(broken(|g| g.accounts[0].theta -= U256::from(1)), over);
    let below = broken(|g| g.stakes[0].amount -= U256::from(1));
    assert!(matches!(below, GenesisError::Param { key: "stakes.amount", .. }), "{below}");
    let stranger = broken(|g| g.stakes[0].source = Address::repeat_byte(77));
    assert!(matches!(stranger, GenesisError::Overstaked { balance: U256::ZERO, .. }), "{stranger}");
}

#[test]
fn ranges_at_below_and_above() {
    type Field = fn(&mut ChainParams) -> &mut u64;
    let ranges: [(&str, Field, u64, u64); 11] = [
        ("block_interval_ms", |p| &mut p.block_interval_ms, 10, 60_000),
        ("delta_ms", |p| &mut p.delta_ms, 10, 60_000),
        ("execution_budget_ms", |p| &mut p.execution_budget_ms, 0, 60_000),
        ("block_txs_max", |p| &mut p.block_txs_max, 1, BLOCK_TXS_MAX as u64),
        ("block_bytes_max", |p| &mut p.block_bytes_max, BLOCK_BYTES_MAX_MIN as u64, BLOCK_BYTES_MAX as u64),
        ("block_gas_max", |p| &mut p.block_gas_max, 20_000_000, 1_000_000_000_000),
        ("tx_gas_max", |p| &mut p.tx_gas_max, 100_000, 60_000_000),
        ("checkpoint_interval", |p| &mut p.checkpoint_interval, 2, 1_000_000),
        ("inflation_basis_points", |p| &mut p.inflation_basis_points, 0, 10_000),
        ("validators_max", |p| &mut p.validators_max, 1, VALIDATORS_MAX as u64),
        ("return_locking_period", |p| &mut p.return_locking_period, 1, 100_000_000),
    ];
    for (key, field, min, max) in ranges {
        let with = |value| {
            let mut params = ChainParams::default();
            *field(&mut params) = value;
            params.validate()
        };
        assert_eq!((with(min), with(max)), (Ok(()), Ok(())), "{key}");
        let outside = [min.checked_sub(1), Some(max + 1)];
        assert!(outside.into_iter().flatten().all(|value| with(value).is_err()), "{key}");
    }
    let id = |length| ChainParams { chain_id: "x".repeat(length), ..ChainParams::default() }.validate();
    assert_eq!((id(1), id(CHAIN_ID_BYTES_MAX - 1), id(CHAIN_ID_BYTES_MAX)), (Ok(()), Ok(()), Ok(())));
    assert!(id(0).is_err() && id(CHAIN_ID_BYTES_MAX + 1).is_err());
    let stakes = |validator, guardian| {
        let (validator_deposit_min, guardian_deposit_min) = (validator, guardian);
        ChainParams { validator_deposit_min, guardian_deposit_min, ..ChainParams::default() }.validate()
    };
    assert_eq!((stakes(1, 1), stakes(u64::MAX, u64::MAX)), (Ok(()), Ok(())));
    assert!(stakes(0, 1).is_err() && stakes(1, 0).is_err(), "stake that costs nothing");
    let scheme = |name: &str| ChainParams { bls_scheme: name.into(), ..ChainParams::default() }.validate();
    assert!(scheme("augmented").is_ok() && scheme("proof-of-possession").is_ok() && scheme("basic").is_err());
}

#[test]
fn guardian_limits_leave_room() {
    let with =
        |max| ChainParams { guardian_deposit_min: 100, guardian_stake_max: max, ..ChainParams::default() }.validate();
    assert_eq!((with(0), with(100), with(101)), (Ok(()), Ok(()), Ok(())), "0 is no limit");
    assert!(matches!(with(99), Err(GenesisError::Param { key: "guardian_stake_max", .. })));
}

fn guardian(source: u8, holder: u8, key: u8, tokens: u64) -> GenesisGuardian {
    GenesisGuardian {
        source: Address::repeat_byte(source),
        holder: Address::repeat_byte(holder),
        amount: Coins::tokens(tokens, 0).theta,
        bls_pubkey: BlsKeyBytes::repeat_byte(key),
        bls_pop: BlsSignatureBytes::repeat_byte(key),
    }
}

#[test]
fn a_file_without_guardians_is_as_before() {
    let text = serde_json::to_string(&genesis()).unwrap();
    assert!(!text.contains("guardians\""), "{text}");
    let mut with = genesis();
    with.accounts[1].theta = Coins::tokens(5_000, 0).theta;
    with.guardians = vec![guardian(2, 2, 1, 1_000), guardian(2, 3, 2, 1_000), guardian(2, 4, 3, 1_000)];
    assert_eq!(with.validate(), Ok(()));
    let text = serde_json::to_string(&with).unwrap();
    assert_eq!(serde_json::from_str::<Genesis>(&text).unwrap(), with);
}

#[test]
fn rules_of_guardians() {
    let check = |max, guardians: Vec<GenesisGuardian>| {
        let mut genesis = genesis();
        genesis.params.guardian_stake_max = max;
        genesis.accounts[1].theta = Coins::tokens(5_000, 0).theta;
        genesis.guardians = guardians;
        genesis.validate()
    };
    // Two sources with one guardian: both name its key.
    let mut rich = genesis();
    rich.accounts[0].theta = Coins::tokens(500_000, 0).theta;
    rich.accounts[1].theta = Coins::tokens(5_000, 0).theta;
    rich.guardians = vec![guardian(2, 3, 1, 1_000), guardian(1, 3, 1, 1_000)];
    assert_eq!(rich.validate(), Ok(()));
    rich.guardians[1].bls_pubkey = BlsKeyBytes::repeat_byte(9);
    assert!(matches!(rich.validate(), Err(GenesisError::GuardianKey { .. })), "two keys of one guardian");

    let twice = check(0, vec![guardian(2, 3, 1, 1_000), guardian(2, 3, 1, 1_000)]);
    assert!(matches!(twice, Err(GenesisError::DuplicateStake { .. })), "{twice:?}");
    let shared = check(0, vec![guardian(2, 3, 1, 1_000), guardian(2, 4, 1, 1_000)]);
    assert!(matches!(shared, Err(GenesisError::GuardianKey { .. })), "{shared:?}");
    let small = check(0, vec![guardian(2, 3, 1, 999)]);
    assert!(matches!(small, Err(GenesisError::Param { key: "guardians.amount", .. })), "{small:?}");
    let large = check(2_000, vec![guardian(2, 3, 1, 2_001)]);
    assert!(matches!(large, Err(GenesisError::Param { key: "guardians.amount", .. })), "{large:?}");
    assert_eq!(check(2_000, vec![guardian(2, 3, 1, 2_000)]), Ok(()));
    let over = check(0, vec![guardian(2, 3, 1, 3_000), guardian(2, 4, 2, 3_000)]);
    assert!(matches!(over, Err(GenesisError::Overstaked { .. })), "{over:?}");
    // Validator and guardian stakes of one source come from one balance.
    let both = check(0, vec![guardian(1, 3, 1, 1_000)]);
    assert!(matches!(both, Err(GenesisError::Overstaked { .. })), "{both:?}");
}
