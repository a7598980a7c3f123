//! The wallet: `<home>/wallet/keys/encrypted`, one key file an address (thetacli's layout below `<home>/wallet`).

use crate::CliError;
use std::io::{BufRead as _, IsTerminal as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
use std::path::Path;
use vigil_crypto::SecretKey;
use vigil_crypto::keystore::{Cost, Keystore};
use vigil_primitives::Address;
use vigil_testkit::keys;

/// Only the owner may enter.
const FOLDER_MODE: u32 = 0o700;

/// Opens the wallet below `home`; makes it if it is not there.
pub(crate) fn open(home: &Path) -> Result<Keystore, CliError> {
    let wallet = home.join("wallet");
    let folder = wallet.join("keys").join("encrypted");
    let make = std::fs::DirBuilder::new().recursive(true).mode(FOLDER_MODE).create(&folder);
    make.map_err(CliError::while_doing(format_args!("cannot make the wallet {}", folder.display())))?;
    let metadata = std::fs::metadata(&wallet).map_err(CliError::while_doing(wallet.display()))?;
    let mode = metadata.permissions().mode() & 0o7777;
    if mode != FOLDER_MODE {
        let wallet = wallet.display();
        return Err(CliError::failed(format!("{wallet} must have permission set to 0700, it has {mode:04o}")));
    }
    Keystore::open(folder).map_err(CliError::failed)
}

/// Puts the development keys (DESIGN §5) into the wallet below `home`, with the password `qwertyuiop`. Keys that are there
/// stay as they are. Their files use a light key derivation: these keys are public.
pub(crate) fn install_dev_keys(home: &Path) -> Result<(), CliError> {
    let wallet = open(home)?;
    let mut dev = [0; 32];
    hex::decode_to_slice(keys::DEV_KEY, &mut dev).map_err(CliError::failed)?;
    for bytes in std::iter::once(dev).chain(keys::test_keys()) {
        let key = SecretKey::from_bytes(&bytes).ok_or_else(|| CliError::failed("a development key is no key"))?;
        if !wallet.contains(&key.address()) {
            wallet.save(&key, keys::DEV_PASSWORD, Cost::Light).map_err(CliError::failed)?;
        }
    }
    Ok(())
}

/// Decrypts a key of the wallet, asking for its password unless it is given.
pub(crate) fn unlock(wallet: &Keystore, address: &Address, password: Option<&str>) -> Result<SecretKey, CliError> {
    let failed = |why: &dyn std::fmt::Display| CliError::failed(format!("Failed to unlock address {address}: {why}"));
    if !wallet.contains(address) {
        return Err(failed(&format_args!("no key for it in {}", wallet.folder().display())));
    }
    let password = password_or_ask(password, "Please enter password: ")?;
    wallet.load(address, &password).map_err(|why| failed(&why))
}

/// The given password, or one asked for.
pub(crate) fn password_or_ask(given: Option<&str>, prompt: &str) -> Result<String, CliError> {
    given.map_or_else(|| ask_password(prompt), |password| Ok(password.to_owned()))
}

/// Reads a password: from a terminal without echo, else one line of stdin.
pub(crate) fn ask_password(prompt: &str) -> Result<String, CliError> {
    if std::io::stdin().is_terminal() {
        return rpassword::prompt_password(prompt).map_err(CliError::while_doing("cannot read the password"));
    }
    ask_line(prompt)
}

/// Asks on stderr and reads one line of stdin.
pub(crate) fn ask_line(prompt: &str) -> Result<String, CliError> {
    let _closed_pipe = write!(std::io::stderr().lock(), "{prompt}");
    let mut line = String::new();
    let read = std::io::stdin().lock().read_line(&mut line).map_err(CliError::while_doing("cannot read stdin"))?;
    if read == 0 {
        return Err(CliError::failed("stdin ended where a line was expected; a password can be given with --password"));
    }
    let trimmed = line.strip_suffix('\n').unwrap_or(&line);
    Ok(trimmed.strip_suffix('\r').unwrap_or(trimmed).to_owned())
}

/// Reads an address: 40 hex digits, `0x` optional, any case.
pub(crate) fn parse_address(text: &str) -> Result<Address, String> {
    let digits = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")).unwrap_or(text);
    let mut bytes = [0; 20];
    hex::decode_to_slice(digits, &mut bytes)
        .map_err(|_| "an address is 40 hex digits, with or without 0x".to_owned())?;
    Ok(Address::new(bytes))
}
