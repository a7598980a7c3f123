//! What a reverted contract said: Solidity's `Error(string)` and `Panic(uint256)`.

use crate::jsonrpc::RpcError;
use vigil_primitives::{Bytes, U256};

/// Code of an error that carries revert data.
const REVERTED: i32 = 3;
/// Selector of `Error(string)`.
const ERROR: [u8; 4] = [0x08, 0xc3, 0x79, 0xa0];
/// Selector of `Panic(uint256)`.
const PANIC: [u8; 4] = [0x4e, 0x48, 0x7b, 0x71];

/// `execution reverted`, with the reason if the data has one that is known, and the data.
pub(super) fn reverted(data: Bytes) -> RpcError {
    let message = match reason(&data) {
        Some(reason) => format!("execution reverted: {reason}"),
        None => "execution reverted".to_owned(),
    };
    RpcError { data: Some(data), ..RpcError::new(REVERTED, message) }
}

fn reason(data: &[u8]) -> Option<String> {
    let (selector, rest) = data.split_first_chunk()?;
    match *selector {
        ERROR => text(rest),
        PANIC => Some(panic(U256::from_be_slice(rest.get(..32)?))),
        _ => None,
    }
}

/// The one string of ABI-encoded arguments.
fn text(args: &[u8]) -> Option<String> {
    let word =
        |at: usize| -> Option<usize> { usize::try_from(U256::from_be_slice(args.get(at..at.checked_add(32)?)?)).ok() };
    let at = word(0)?;
    let (begin, length) = (at.checked_add(32)?, word(at)?);
    let bytes = args.get(begin..begin.checked_add(length)?)?;
    std::str::from_utf8(bytes).ok().map(str::to_owned)
}

/// In the words that tools know; the codes are those of Solidity's documentation.
fn panic(code: U256) -> String {
    let known = match u64::try_from(code) {
        Ok(0x00) => "generic panic",
        Ok(0x01) => "assert(false)",
        Ok(0x11) => "arithmetic underflow or overflow",
        Ok(0x12) => "division or modulo by zero",
        Ok(0x21) => "enum overflow",
        Ok(0x22) => "invalid encoded storage byte array accessed",
        Ok(0x31) => "out-of-bounds array access; popping on an empty array",
        Ok(0x32) => "out-of-bounds access of an array or bytesN",
        Ok(0x41) => "out of memory",
        Ok(0x51) => "uninitialized function",
        _ => return format!("unknown panic code: {code:#x}"),
    };
    known.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(hex_words: &str) -> String {
        let data: Vec<u8> = hex::decode(hex_words.replace(' ', "")).expect("hex");
        let error = reverted(data.clone().into());
        assert_eq!((error.code, error.data), (3, Some(data.into())));
        error.message.into_owned()
    }

    fn word(number: u64) -> String {
        format!("{number:064x}")
    }

    #[test]
    fn reasons() {
        let hello = format!("08c379a0{}{}{}", word(32), word(5), "68656c6c6f000000");
        assert_eq!(error(&hello), "execution reverted: hello");
        assert_eq!(error(&format!("4e487b71{}", word(0x11))), "execution reverted: arithmetic underflow or overflow");
        assert_eq!(error(&format!("4e487b71{}", word(0x77))), "execution reverted: unknown panic code: 0x77");
        assert_eq!(
            error(&format!("4e487b71{}", "f".repeat(64))).len(),
            "execution reverted: unknown panic code: ".len() + 66
        );
    }

    #[test]
    fn no_reasons() {
        for data in [
            String::new(),
            "08c379".to_owned(),
            "08c379a0".to_owned(),
            "4e487b71".to_owned(),
            "12345678".to_owned() + &word(1),
            format!("08c379a0{}{}68", word(32), word(2)),
            format!("08c379a0{}{}", word(32), word(u64::MAX)),
            format!("08c379a0{}{}", word(u64::MAX), word(5)),
            format!("08c379a0{}{}", "f".repeat(64), word(5)),
            format!("08c379a0{}{}ff", word(32), word(1)),
        ] {
            assert_eq!(error(&data), "execution reverted", "{data}");
        }
    }
}
