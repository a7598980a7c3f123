use vigil_primitives::{AmountError, U256, WEI, parse_amount};
use vigil_testkit::vectors;

#[test]
fn reference_vectors() {
    let Some(file) = vectors::json("ledger/coin_amount.json") else { return };
    for case in vectors::array(&file, "vectors") {
        let text = vectors::string(case, "text");
        let expected = case["wei"].as_str().map(|wei| wei.parse::<U256>().unwrap());
        assert_eq!(parse_amount(text).ok(), expected, "{text}");
    }
}

#[test]
fn tokens_wei_and_powers_of_ten() {
    let token = U256::from(WEI);
    let cases = [
        ("10", token * U256::from(10)),
        ("0.3", token * U256::from(3) / U256::from(10)),
        (".5", token / U256::from(2)),
        ("2.", token * U256::from(2)),
        ("1E2", token * U256::from(100)),
        ("1e+2", token * U256::from(100)),
        ("25e-1", token * U256::from(25) / U256::from(10)),
        ("0.0000000000000000019", U256::from(1)),
        ("1.9wei", U256::from(1)),
        ("0.9WEI", U256::ZERO),
        ("1e-1000", U256::ZERO),
        ("000000000000000000000000000000000000000000000000000000000000000000000000000000000000001wei", U256::from(1)),
        ("0e1000", U256::ZERO),
    ];
    for (text, wei) in cases {
        assert_eq!(parse_amount(text), Ok(wei), "{text}");
    }
}

#[test]
fn refuses_what_is_no_amount() {
    for text in [
        "", "wei", "-1", "-0", "+1", "1,5", "1 000", "0x10", "1e", "1e1001", "1e-1001", "e3", ".", "1.2.3", "1e3e3",
        "１", "NaN", "inf", " 1",
    ] {
        assert_eq!(parse_amount(text), Err(AmountError::Syntax(text.into())), "{text}");
    }
}

#[test]
fn largest_amount_is_2_256_minus_1_wei() {
    let max = U256::MAX.to_string();
    assert_eq!(parse_amount(&format!("{max}wei")), Ok(U256::MAX));
    let above = max.replace("935wei", "936wei");
    assert_eq!(
        parse_amount(&format!("{}6wei", &above[..77])),
        Err(AmountError::Overflow(format!("{}6wei", &above[..77])))
    );
    assert_eq!(parse_amount("1e60"), Err(AmountError::Overflow("1e60".into())));
}
