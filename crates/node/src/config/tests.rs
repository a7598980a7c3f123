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
