//! Development keys (DESIGN §5, `spec/cli.md` §1). Public knowledge: never for value.

/// Private key of [`DEV_ADDRESS`].
pub const DEV_KEY: &str = "93a90ea508331dfdf27fb79757d4250b4e84954927ba0073cd67454ac432c737";
/// The walk-through's sender.
pub const DEV_ADDRESS: &str = "2E833968E5bB786Ae419c4d13189fB081Cc43bab";
/// The walk-through's recipient; nobody has its key.
pub const RECIPIENT_ADDRESS: &str = "9F1233798E905E173560071255140b4A8aBd3Ec6";
/// Password of the development keystores.
pub const DEV_PASSWORD: &str = "qwertyuiop";

/// The ten test keys `11..11` to `99..99` and `10..00`, 32 bytes each.
pub fn test_keys() -> Vec<[u8; 32]> {
    let mut keys: Vec<[u8; 32]> = (1..=9u8).map(|d| [d * 0x11; 32]).collect();
    let mut last = [0u8; 32];
    last[0] = 0x10;
    keys.push(last);
    keys
}
