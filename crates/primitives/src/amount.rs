//! Amounts as people write them.

use crate::U256;

const TOKEN_DIGITS: i64 = 18;
/// Decimal digits of 2^256 - 1.
const U256_DIGITS: i64 = 78;
/// Largest power of ten that is looked at; more is a slip of the hand.
const EXPONENT_MAX: i64 = 1_000;

/// A text that is no amount.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AmountError {
    /// Not a decimal number, or a negative one.
    #[error("`{0}` is no amount: write whole tokens as in 10 or 0.3, or wei as in 1000wei; no negatives")]
    Syntax(String),
    /// Above 2^256 - 1 wei.
    #[error("`{0}` is more than 2^256 - 1 wei")]
    Overflow(String),
}

/// Wei of an amount (`spec/cli.md`, "Amounts"): a decimal number of whole tokens, or with the ending `wei` in any case an
/// amount in wei. Powers of ten (`1e3`) are read; fractions of a wei are cut off.
///
/// # Errors
/// [`AmountError`].
///
/// ```
/// use vigil_primitives::{U256, parse_amount};
/// assert_eq!(parse_amount("0.3"), Ok(U256::from(300_000_000_000_000_000u64)));
/// assert_eq!(parse_amount("1000Wei"), Ok(U256::from(1000)));
/// assert!(parse_amount("-1").is_err());
/// ```
pub fn parse_amount(text: &str) -> Result<U256, AmountError> {
    let syntax = || AmountError::Syntax(text.to_owned());
    let lower = text.to_ascii_lowercase();
    let (number, unit_digits) = lower.strip_suffix("wei").map_or((lower.as_str(), TOKEN_DIGITS), |wei| (wei, 0));
    let (mantissa, exponent) = match number.split_once('e') {
        Some((mantissa, exponent)) => (mantissa, parse_exponent(exponent).ok_or_else(syntax)?),
        None => (number, 0),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = [whole, fraction].concat();
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return Err(syntax());
    }
    let digits = digits.trim_start_matches('0');
    let shift = unit_digits + exponent - fraction.len() as i64;
    let kept = digits.len() as i64 + shift;
    if digits.is_empty() || kept <= 0 {
        return Ok(U256::ZERO);
    }
    if kept > U256_DIGITS {
        return Err(AmountError::Overflow(text.to_owned()));
    }
    let kept = kept as usize;
    let decimal = format!("{:0<kept$}", &digits[..digits.len().min(kept)]);
    U256::from_str_radix(&decimal, 10).map_err(|_| AmountError::Overflow(text.to_owned()))
}

fn parse_exponent(text: &str) -> Option<i64> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    let value: i64 = digits.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse().ok())??;
    (value.abs() <= EXPONENT_MAX).then_some(value)
}
