//! The keys: the one place where each is named, documented and given its default.

use super::{BackendChoice, ConfigError, ConfigValue, Key, Source, unknown, value::Raw};
use std::net::{IpAddr, Ipv4Addr};
use std::ops::RangeInclusive;
use vigil_primitives::TX_BYTES_MAX;

/// Declares the struct, its defaults, its documentation and its lookup from one list. A number whose type allows nonsense
/// has a range behind its default.
macro_rules! config {
    (@allowed) => { None };
    (@allowed $range:expr) => { Some($range) };
    ($($(#[doc = $doc:literal])+ $field:ident $name:literal : $type:ty = $default:expr $(, $range:expr)?;)+) => {
        /// What an operator can set. One field a key; see the field's documentation.
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub struct Config {
            $($(#[doc = $doc])+ pub $field: $type,)+
        }

        impl Default for Config {
            fn default() -> Self {
                Self { $($field: $default,)+ }
            }
        }

        impl Config {
            /// Every key, section by section, in the order of the written file.
            pub const KEYS: &'static [Key] = &[$(Key { name: $name, doc: &[$($doc),+] },)+];

            /// The value of each key, in the order of [`Config::KEYS`].
            pub fn values(&self) -> Vec<toml::Value> {
                vec![$(self.$field.to_toml(),)+]
            }

            pub(super) fn set(&mut self, key: &str, raw: Raw<'_>, from: Source) -> Result<(), ConfigError> {
                match key {
                    $($name => self.$field = read($name, &raw, from, config!(@allowed $($range)?))?,)+
                    _ => return Err(unknown(key.to_owned(), from)),
                }
                Ok(())
            }
        }
    };
}

/// The value of `key`, which must be in `allowed` if that is given.
fn read<T: ConfigValue + PartialOrd + std::fmt::Debug>(
    key: &'static str,
    raw: &Raw<'_>,
    from: Source,
    allowed: Option<RangeInclusive<T>>,
) -> Result<T, ConfigError> {
    match raw.read::<T>() {
        Some(value) if allowed.as_ref().is_none_or(|range| range.contains(&value)) => Ok(value),
        _ => {
            let in_range = |range: RangeInclusive<T>| format!("a number from {:?} to {:?}", range.start(), range.end());
            let must = allowed.map_or_else(|| T::MUST.to_owned(), in_range);
            Err(ConfigError::Value { key, from, got: raw.to_string(), must })
        }
    }
}

const LOOPBACK: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

config! {
    /// Sign as a validator whenever the node's key is in the committee. With false the node only follows.
    validator_enabled "validator.enabled": bool = true;

    /// Vote on checkpoints with every key below guardian/encrypted in the data folder (`vigil guardian key` makes one).
    guardian_enabled "guardian.enabled": bool = false;

    /// Address to listen on for other nodes; 0.0.0.0 is every IPv4 interface.
    p2p_address "p2p.address": IpAddr = IpAddr::V4(Ipv4Addr::UNSPECIFIED);
    /// TCP and UDP (QUIC) port for other nodes. It must be reachable from outside for others to dial this node.
    p2p_port "p2p.port": u16 = 30_001;
    /// Nodes to connect to first, as multiaddresses: "/ip4/203.0.113.7/tcp/30001", with or without "/p2p/PEER_ID".
    p2p_seeds "p2p.seeds": Vec<String> = Vec::new();
    /// Where other validators find this one, if it is not where it listens (behind a NAT, in a container): at most four
    /// multiaddresses of an IP address and a port. Only validators need this.
    p2p_advertise "p2p.advertise": Vec<String> = Vec::new();
    /// Most connections with other nodes.
    p2p_peers_max "p2p.peers_max": usize = 64, 1..=10_000;
    /// Most incoming connections from one IP address (IPv6: one /64). Loopback, seeds and validators are free.
    p2p_peers_per_address_max "p2p.peers_per_address_max": usize = 16, 1..=10_000;
    /// Also speak QUIC, on the UDP port of the same number.
    p2p_quic "p2p.quic": bool = true;
    /// Look for nodes beyond the seeds, and dial those that peers name. With false only seeds are dialled, and validators by
    /// validators.
    p2p_discovery "p2p.discovery": bool = true;

    /// Serve `theta.*` JSON-RPC at `http://ADDRESS:PORT/rpc`.
    rpc_enabled "rpc.enabled": bool = true;
    /// Address of the JSON-RPC server. Anything but loopback is open to whoever reaches it.
    rpc_address "rpc.address": IpAddr = LOOPBACK;
    /// Port of the JSON-RPC server.
    rpc_port "rpc.port": u16 = 16_888;
    /// Let web pages of any origin call the JSON-RPC server.
    rpc_cors "rpc.cors": bool = false;
    /// File with a secret of 64 hex digits; if set, requests need a JWT (HS256) signed with it as bearer token.
    rpc_jwt_secret_file "rpc.jwt_secret_file": String = String::new();
    /// Most connections to the JSON-RPC server at once; those that have been idle for longest make room for others.
    rpc_connections_max "rpc.connections_max": usize = 200, 1..=100_000;
    /// Most of them from one IP address. Loopback is free; raise it for a proxy on another machine.
    rpc_connections_per_address_max "rpc.connections_per_address_max": usize = 50, 1..=100_000;

    /// Threads of lowest priority that run what clients ask to be executed (`eth_call`, estimates, traces,
    /// `theta.CallSmartContract`); 0: one for each two cores.
    rpc_call_threads "rpc.call_threads": usize = 0, 0..=1024;

    /// Serve Ethereum's JSON-RPC: `eth_*`, `net_*`, `web3_*`, `txpool_*`, `debug_*`.
    eth_enabled "eth.enabled": bool = true;
    /// Address of the Ethereum JSON-RPC servers. Anything but loopback is open to whoever reaches it.
    eth_address "eth.address": IpAddr = LOOPBACK;
    /// Port of the Ethereum JSON-RPC server, HTTP at any path; WebSockets are taken there too.
    eth_port "eth.port": u16 = 18_888;
    /// Port for WebSockets alone.
    eth_ws_port "eth.ws_port": u16 = 18_889;
    /// Let web pages of any origin (wallets in browsers) call the Ethereum JSON-RPC servers.
    eth_cors "eth.cors": bool = false;
    /// File with a secret of 64 hex digits; if set, requests need a JWT (HS256) signed with it as bearer token.
    eth_jwt_secret_file "eth.jwt_secret_file": String = String::new();
    /// Most connections to each of the Ethereum JSON-RPC servers at once; those that have been idle for longest make room.
    eth_connections_max "eth.connections_max": usize = 200, 1..=100_000;
    /// Most of them from one IP address. Loopback is free; raise it for a proxy on another machine.
    eth_connections_per_address_max "eth.connections_per_address_max": usize = 50, 1..=100_000;

    /// Serve /metrics (Prometheus), /health/live and /health/ready.
    metrics_enabled "metrics.enabled": bool = true;
    /// Address of the metrics and health server.
    metrics_address "metrics.address": IpAddr = LOOPBACK;
    /// Port of the metrics and health server.
    metrics_port "metrics.port": u16 = 16_900;

    /// Most transactions that wait for a block.
    mempool_txs_max "mempool.txs_max": usize = 50_000, 1..=10_000_000;
    /// Most bytes of transactions that wait for a block.
    mempool_bytes_max "mempool.bytes_max": usize = 64 * 1024 * 1024, TX_BYTES_MAX..=64 * 1024 * 1024 * 1024;

    /// Memory for state nodes that were read or written lately, in MiB.
    storage_cache_mib "storage.cache_mib": usize = 64, 0..=1024 * 1024;

    /// What checks signatures and hashes: "auto" (the fastest that this machine has, by measurement), or one of "portable",
    /// "neon", "avx2", "avx512ifma", or graphics cards through "wgpu" or "cuda", with the processor beside them. All give the
    /// same answers. `vigil doctor` says what is there.
    accel_backend "accel.backend": BackendChoice = BackendChoice::AUTO;
    /// Threads that check signatures and hash; 0: one for each physical core.
    accel_threads "accel.threads": usize = 0, 0..=1024;
    /// Keep each of these threads on a core of its own, if there is one for each physical core. Fewer threads are never
    /// pinned, so that several nodes on a machine do not meet on the same cores: the operating system moves them.
    accel_pin "accel.pin": bool = true;
    /// Memory for tables that make signatures of accounts that sign often cheap, in MiB; 0: no tables.
    accel_payer_cache_mib "accel.payer_cache_mib": usize = 64, 0..=1024 * 1024;
    /// So many transactions are checked as a batch at once, without waiting for more.
    accel_batch_items "accel.batch_items": usize = 4_096, 1..=65_536;
    /// Longest time that a transaction waits for others to make a batch, in microseconds.
    accel_batch_age_us "accel.batch_age_us": u32 = 2_000, 0..=1_000_000;

    /// What is logged to stderr, as a tracing filter: "error", "warn", "info", "debug", or per module "info,vigil_net=debug".
    log_filter "log.filter": String = "info".to_owned();
    /// Seconds between the lines that say how the node is doing.
    log_status_seconds "log.status_seconds": u32 = 30;
}
