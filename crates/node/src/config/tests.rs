use super::*;

fn pair(key: &str, value: &str) -> (String, String) {
    (key.to_owned(), value.to_owned())
}

fn file(text: &str) -> (tempfile::TempDir, std::path::PathBuf) {
    let dir = tempfile::tempdir().expect("temporary folder");
    let path = dir.path().join("config.toml");
    std::fs::write(&path, text).expect("write");
    (dir, path)
}

#[test]
fn later_sources_win() {
    let (_dir, path) =
        file("[rpc]\nport = 1\n[p2p]\nport = 11\nseeds = [\"/ip4/1.2.3.4/tcp/1\"]\n[metrics]\nport = 21\n");
    let env = [pair("VIGIL_RPC_PORT", "2"), pair("VIGIL_P2P_PORT", "12"), pair("HOME", "/root")];
    let flags = [pair("rpc.port", "3")];
    let config = Config::load(Some(&path), env, flags).expect("valid");
    assert_eq!((config.rpc_port, config.p2p_port, config.metrics_port), (3, 12, 21));
    assert_eq!(config.p2p_seeds, ["/ip4/1.2.3.4/tcp/1"]);
    assert_eq!(config.mempool_txs_max, Config::default().mempool_txs_max);
}

#[test]
fn unknown_keys_are_named() {
    let (_dir, path) = file("[rpc]\nprot = 1\n");
    let error = Config::load(Some(&path), [], []).expect_err("unknown").to_string();
    assert!(error.contains("`rpc.prot`") && error.contains("config.toml"), "{error}");

    let (_dir, path) = file("port = 1\n");
    let error = Config::load(Some(&path), [], []).expect_err("unknown").to_string();
    assert!(error.contains("`port`") && error.contains("did you mean"), "{error}");

    let error = Config::load(None, [pair("VIGIL_RPC_PROT", "1")], []).expect_err("unknown").to_string();
    assert!(error.contains("VIGIL_RPC_PROT"), "{error}");
    let error = Config::load(None, [], [pair("rpc.prot", "1")]).expect_err("unknown").to_string();
    assert!(error.contains("--rpc.prot"), "{error}");
    Config::load(None, [pair("VIGIL_HOME", "/x"), pair("VIGIL_PASSWORD", "x")], []).expect("not configuration keys");
}

#[test]
fn bad_values_name_both_sides() {
    let (_dir, path) = file("[rpc]\nport = 65536\n");
    let error = Config::load(Some(&path), [], []).expect_err("range").to_string();
    assert!(error.contains("`rpc.port`") && error.contains("65536") && error.contains("0 to 65535"), "{error}");
    let error = Config::load(None, [pair("VIGIL_RPC_CORS", "maybe")], []).expect_err("kind").to_string();
    assert!(error.contains("`maybe`") && error.contains("true or false"), "{error}");
}

#[test]
fn numbers_out_of_range_are_refused_with_the_range() {
    let refused = |key: &str, value: &str| {
        let error = Config::load(None, [], [pair(key, value)]).expect_err(value);
        assert!(matches!(error, ConfigError::Value { .. }), "{error}");
        error.to_string()
    };
    for (key, value, range) in [
        ("storage.cache_mib", "100000000", "0 to 1048576"),
        ("rpc.connections_max", "18446744073709551615", "1 to 100000"),
        ("rpc.connections_max", "0", "1 to 100000"),
        ("rpc.connections_per_address_max", "0", "1 to 100000"),
        ("p2p.peers_max", "many", "1 to 10000"),
        ("p2p.peers_per_address_max", "-1", "1 to 10000"),
        ("mempool.txs_max", "0", "1 to 10000000"),
        ("mempool.bytes_max", "262143", "262144 to 68719476736"),
        ("accel.threads", "1025", "0 to 1024"),
        ("accel.batch_items", "0", "1 to 65536"),
    ] {
        let want = format!("`{key}` in flag --{key} is `{value}`, must be a number from {range}");
        assert_eq!(refused(key, value), want);
    }
    let (_dir, path) = file("[rpc]\nconnections_max = 0\n");
    let error = Config::load(Some(&path), [], []).expect_err("range").to_string();
    assert!(error.contains("`rpc.connections_max`") && error.contains("is 0, must be a number from 1"), "{error}");
    let edges = [pair("storage.cache_mib", "1048576"), pair("rpc.connections_max", "1"), pair("accel.threads", "0")];
    let config = Config::load(None, [], edges).expect("in range");
    assert_eq!((config.storage_cache_mib, config.rpc_connections_max, config.accel_threads), (1_048_576, 1, 0));
}

#[test]
fn a_file_that_is_not_toml_is_refused() {
    let (_dir, path) = file("[rpc\n");
    assert!(matches!(Config::load(Some(&path), [], []), Err(ConfigError::Syntax { .. })));
    assert!(matches!(Config::load(Some(Path::new("/nowhere/config.toml")), [], []), Err(ConfigError::Read { .. })));
}

#[test]
fn the_written_file_reads_back_and_documents_every_key() {
    let config = Config { rpc_port: 7, p2p_seeds: vec!["/dns4/a/tcp/1".into()], ..Config::default() };
    let text = config.to_documented_toml();
    let (_dir, path) = file(&text);
    assert_eq!(Config::load(Some(&path), [], []).expect("valid"), config);
    let lines: Vec<_> = text.lines().collect();
    for key in Config::KEYS {
        let name = key.name.split('.').nth(1).expect("section.key");
        let at = lines.iter().position(|l| l.starts_with(&format!("{name} = "))).expect(name);
        assert!(lines[at - 1].starts_with("# "), "{} is not documented", key.name);
    }
}

#[test]
fn backends_have_names() {
    for name in ["auto", "portable", "neon", "avx2", "avx512ifma", "wgpu", "cuda"] {
        let config = Config::load(None, [pair("VIGIL_ACCEL_BACKEND", name)], []).expect(name);
        assert_eq!(config.accel_backend.to_toml().as_str(), Some(name));
    }
    let error = Config::load(None, [], [pair("accel.backend", "opencl")]).expect_err("unknown").to_string();
    assert!(error.contains("`opencl`") && error.contains("avx2, avx512ifma, wgpu, cuda"), "{error}");
    let error = Config::load(None, [], [pair("engine.threads", "4")]).expect_err("it was renamed").to_string();
    assert!(error.contains("did you mean `accel.threads`"), "{error}");
}
