//! `--holder`: an address, or the summary of a guardian or elite edge node (`spec/cli.md` §2).

use crate::CliError;
use crate::wallet::parse_address;
use vigil_primitives::{Address, Bytes, Signature, keccak256};

const ADDRESS_END: usize = 20;
const PUBKEY_END: usize = ADDRESS_END + 48;
const POP_END: usize = PUBKEY_END + 96;
const SIGNATURE_END: usize = POP_END + 65;
const CHECKSUM_END: usize = SIGNATURE_END + 32;

/// A node that is staked on.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Holder {
    /// The node.
    pub(crate) address: Address,
    /// BLS public key; empty for validators.
    pub(crate) bls_pubkey: Bytes,
    /// Its proof of possession; empty for validators.
    pub(crate) bls_pop: Bytes,
    /// The node's signature over the proof; absent for validators.
    pub(crate) signature: Signature,
}

impl Holder {
    /// Reads what `--holder` must be for this purpose.
    pub(crate) fn parse(text: &str, purpose: u8) -> Result<Self, CliError> {
        let (length, node) = match purpose {
            0 => {
                let address = parse_address(text).map_err(CliError::usage)?;
                let none = Bytes::new();
                return Ok(Self { address, bls_pubkey: none.clone(), bls_pop: none, signature: Signature::none() });
            }
            1 => (SIGNATURE_END, "guardian"),
            _ => (CHECKSUM_END, "elite edge node"),
        };
        let wrong = |why: String| CliError::usage(format!("Holder must be a valid {node} summary: {why}"));
        let digits = text.strip_prefix("0x").unwrap_or(text);
        let bytes = hex::decode(digits).map_err(|why| wrong(why.to_string()))?;
        if bytes.len() != length {
            return Err(wrong(format!("it has {} hex digits, must have {}", digits.len(), 2 * length)));
        }
        if let Some(checksum) = bytes.get(SIGNATURE_END..CHECKSUM_END) {
            // The checksum covers the text, upper and lower case as given.
            let covered = format!("0x{}", &digits[..2 * SIGNATURE_END]);
            if keccak256(covered)[..] != *checksum {
                return Err(wrong("its checksum does not match: a digit was lost or changed".into()));
            }
        }
        Ok(Self {
            address: Address::from_slice(&bytes[..ADDRESS_END]),
            bls_pubkey: Bytes::copy_from_slice(&bytes[ADDRESS_END..PUBKEY_END]),
            bls_pop: Bytes::copy_from_slice(&bytes[PUBKEY_END..POP_END]),
            signature: Signature(Bytes::copy_from_slice(&bytes[POP_END..SIGNATURE_END])),
        })
    }

    /// Only the address: given as such, or by a summary.
    pub(super) fn parse_address(text: &str, purpose: u8) -> Result<Address, CliError> {
        parse_address(text).or_else(|why| match purpose {
            0 => Err(CliError::usage(why)),
            _ => Self::parse(text, purpose).map(|holder| holder.address),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn summary() -> String {
        let bytes: Vec<u8> = (0..SIGNATURE_END).map(|i| i as u8).collect();
        hex::encode(bytes)
    }

    #[test]
    fn validators_are_addresses() {
        let holder = Holder::parse("0x2E833968E5bB786Ae419c4d13189fB081Cc43bab", 0).expect("an address");
        assert!(holder.bls_pubkey.is_empty() && holder.bls_pop.is_empty() && holder.signature.is_none());
        assert!(Holder::parse("2E83", 0).is_err());
        assert!(Holder::parse(&summary(), 0).is_err());
    }

    #[test]
    fn guardians_are_summaries_of_458_digits() {
        let holder = Holder::parse(&format!("0x{}", summary()), 1).expect("a summary");
        assert_eq!((holder.bls_pubkey.len(), holder.bls_pop.len(), holder.signature.0.len()), (48, 96, 65));
        assert_eq!((holder.bls_pubkey[0], holder.bls_pop[0], holder.signature.0[0]), (20, 68, 164));
        assert_eq!(Holder::parse_address(&summary(), 1).expect("a summary"), holder.address);
        for length in [0, 456, 457] {
            assert!(Holder::parse(&summary()[..length], 1).is_err(), "{length}");
        }
        assert!(Holder::parse(&format!("{}00", summary()), 1).is_err());
    }

    #[test]
    fn edge_node_summaries_end_with_a_checksum_of_the_text() {
        let mixed: String = summary().replacen('a', "A", 3);
        let checksum = keccak256(format!("0x{mixed}"));
        let whole = format!("{mixed}{}", hex::encode(checksum));
        assert!(Holder::parse(&whole, 2).is_ok());
        assert!(Holder::parse(&whole.replacen('A', "a", 1), 2).is_err());
        assert!(Holder::parse(&mixed, 2).is_err());
    }
}
