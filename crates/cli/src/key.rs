//! `vigil key`: the wallet's keys (`spec/cli.md` §2).

use crate::wallet::{ask_line, ask_password, open, parse_address, password_or_ask};
use crate::{CliError, Globals, Output};
use serde_json::json;
use std::path::PathBuf;
use vigil_crypto::SecretKey;
use vigil_crypto::keystore::{Cost, Keystore};
use vigil_primitives::Address;

/// What to do with the keys.
#[derive(clap::Subcommand)]
pub(crate) enum Command {
    /// Make a key
    New {
        /// Its password; asked for if absent
        #[arg(long)]
        password: Option<String>,
    },
    /// Print the addresses of all keys
    List,
    /// Delete a key for good
    Delete {
        /// Whose key
        #[arg(value_parser = parse_address)]
        address: Address,
        /// Its password; asked for twice if absent
        #[arg(long)]
        password: Option<String>,
        /// Do not ask for confirmation
        #[arg(long)]
        yes: bool,
    },
    /// Change the password of a key
    Password {
        /// Whose key
        #[arg(value_parser = parse_address)]
        address: Address,
        /// The current password; asked for if absent
        #[arg(long)]
        password: Option<String>,
        /// The new password; asked for if absent
        #[arg(long)]
        new_password: Option<String>,
    },
    /// Put a private key into the wallet
    Import {
        /// File that holds the key as 64 hex digits, 0x optional
        #[arg(long, value_name = "FILE")]
        private_key_file: PathBuf,
        /// The password to encrypt it with; asked for if absent
        #[arg(long)]
        password: Option<String>,
    },
}

/// Runs one of them.
pub(crate) fn run(command: &Command, globals: &Globals, output: &Output) -> Result<(), CliError> {
    let wallet = open(&globals.home()?)?;
    match command {
        Command::New { password } => {
            let address = add(&wallet, &SecretKey::generate(), password.as_deref())?;
            output.result(format!("Successfully created key: {address}"), &json!({"address": checksum(&address)}));
        }
        Command::Import { private_key_file, password } => {
            let key = read_key(private_key_file)?;
            let address = add(&wallet, &key, password.as_deref())?;
            output.result(format!("Successfully imported key: {address}"), &json!({"address": checksum(&address)}));
        }
        Command::List => {
            let addresses = wallet.list().map_err(CliError::failed)?;
            let texts: Vec<String> = addresses.iter().map(checksum).collect();
            if output.json {
                output.json(&json!({"addresses": texts}));
            } else {
                texts.iter().for_each(|text| output.line(text));
            }
        }
        Command::Delete { address, password, yes } => {
            delete(&wallet, address, password.as_deref(), *yes)?;
            output
                .result(format!("Key for address {address} has been deleted"), &json!({"deleted": checksum(address)}));
        }
        Command::Password { address, password, new_password } => {
            let old = password_or_ask(password.as_deref(), "Please enter the current password: ")?;
            wallet.load(address, &old).map_err(CliError::failed)?;
            let new = password_or_ask(new_password.as_deref(), "Please enter a new password: ")?;
            wallet.change_password(address, &old, &new, Cost::Standard).map_err(CliError::failed)?;
            output.result("Password updated successfully", &json!({"updated": checksum(address)}));
        }
    }
    Ok(())
}

fn add(wallet: &Keystore, key: &SecretKey, password: Option<&str>) -> Result<Address, CliError> {
    let password = password_or_ask(password, "Please enter password: ")?;
    wallet.save(key, &password, Cost::Standard).map_err(CliError::failed)?;
    Ok(key.address())
}

/// The password, the word `yes`, the password again (thetacli's order); a password given as a flag is not asked again.
fn delete(wallet: &Keystore, address: &Address, password: Option<&str>, yes: bool) -> Result<(), CliError> {
    let first = password_or_ask(password, "Please enter password: ")?;
    wallet.load(address, &first).map_err(CliError::failed)?;
    if !yes {
        let confirmed = ask_line(&format!("Key for address {address} will be deleted for good. Type yes to go on: "))?;
        if confirmed.trim() != "yes" {
            return Err(CliError::failed("not confirmed: the key is still there"));
        }
    }
    if password.is_none() && ask_password("Please enter password again: ")? != first {
        return Err(CliError::failed("the passwords differ: the key is still there"));
    }
    wallet.delete(address).map_err(CliError::failed)
}

fn read_key(file: &std::path::Path) -> Result<SecretKey, CliError> {
    let text = std::fs::read_to_string(file).map_err(CliError::while_doing(file.display()))?;
    let text = text.trim();
    let mut bytes = [0; 32];
    let decoded = hex::decode_to_slice(text.strip_prefix("0x").unwrap_or(text), &mut bytes);
    let key = decoded.ok().and_then(|()| SecretKey::from_bytes(&bytes));
    key.ok_or_else(|| CliError::failed(format!("{} does not hold a private key of 64 hex digits", file.display())))
}

fn checksum(address: &Address) -> String {
    address.to_checksum(None)
}
