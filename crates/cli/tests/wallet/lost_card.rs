//! A card that works, which a library in the place of CUDA's driver plays, until it is lost in the middle of a node's work.

use crate::Home;
use crate::cards::{Env, Running, base_port, json, page, until, without_vulkan};
use serde_json::{Value, json};
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use vigil_crypto::{SecretKey, sign_tx};
use vigil_primitives::{Coins, Send, Tx, TxInput, TxOutput};

/// A driver with the kernels of the host twin and a compiler in `folder`; the card is lost while there is a file `gone`.
fn with_working_card(folder: &Path, gone: &Path) -> Env {
    let accel = Path::new(env!("CARGO_MANIFEST_DIR")).join("../accel");
    let (fake, object) = (accel.join("tests/fake_cuda"), folder.join("libcuda.o"));
    let made = |command: &mut Command| {
        let ended = command.output().unwrap_or_else(|why| panic!("{command:?}: {why}: the tests need cc and c++"));
        assert!(ended.status.success(), "{ended:?}");
    };
    let c = ["-std=c11", "-O1", "-fPIC", "-pthread", "-o"];
    made(Command::new("cc").args(c).arg(&object).arg("-c").arg(fake.join("libcuda.c")));
    made(Command::new("cc").args(c).arg(folder.join("libnvrtc.so.12")).arg("-shared").arg(fake.join("libnvrtc.c")));
    let mut cxx = Command::new("c++");
    cxx.args(["-std=c++17", "-O2", "-fno-exceptions", "-fno-rtti", "-shared", "-fPIC", "-pthread", "-o"]);
    made(cxx.arg(folder.join("libcuda.so.1")).arg(accel.join("../../kernels/cuda/twin.cpp")).arg(&object));
    for library in ["libcuda.so.1", "libnvrtc.so.12"] {
        let plain = library.rsplit_once('.').expect("a version").0;
        std::os::unix::fs::symlink(library, folder.join(plain)).expect("linked");
    }
    let text = |path: &Path| path.to_str().expect("UTF-8").to_owned();
    let mut env = without_vulkan(Path::new("/nonexistent.json"));
    env.push(("LD_LIBRARY_PATH", text(folder)));
    env.push(("VIGIL_GPU_CACHE", text(&folder.join("cache"))));
    env.push(("FAKE_CUDA_GONE", text(gone)));
    // A second's transactions are a batch, so that it is large enough for a card.
    env.push(("VIGIL_ACCEL_BATCH_AGE_US", "1000000".to_owned()));
    env
}

/// Measurements of this machine, in the folder of a network's node, to which those of a card are added that is as quick as none.
fn calibrated(network: &Path, card: &str) {
    let folders = std::fs::read_dir(network).expect("the network").map(|entry| entry.expect("a file").path());
    let files: Vec<PathBuf> =
        folders.map(|folder| folder.join("calibration.json")).filter(|file| file.exists()).collect();
    let [file] = &files[..] else { panic!("one calibration: {files:?}") };
    let mut measured = json(&std::fs::read_to_string(file).expect("readable"));
    measured["machine"]["cards"] = json!([card]);
    let rows = measured["rows"].as_array_mut().expect("rows");
    for op in ["recover", "verify_cold", "verify_hot"] {
        rows.push(json!({ "op": op, "backend": card, "items": 1024, "ns_per_item": 1.0 }));
    }
    std::fs::write(file, measured.to_string()).expect("writable");
}

/// Sends a node a transaction over so many tokens of which another signed the input: why it is refused.
fn verdict_on_a_forgery(port: u16, tokens: u64) -> String {
    let [owner, other] = [0x11, 0x22].map(|byte| SecretKey::from_bytes(&[byte; 32]).expect("a key"));
    let input =
        TxInput { address: owner.address(), coins: Coins::tokens(0, tokens + 1), sequence: 1, ..TxInput::default() };
    let outputs = vec![TxOutput { address: other.address(), coins: Coins::tokens(0, tokens) }];
    let mut tx = Tx::Send(Send { fee: Coins::tokens(0, 1), inputs: vec![input], outputs });
    sign_tx("privatenet", &mut tx, 0, &other).expect("a slot");
    let hex: String = tx.to_raw().iter().map(|byte| format!("{byte:02x}")).collect();
    let call = json!({
        "jsonrpc": "2.0", "id": 1, "method": "theta.BroadcastRawTransactionAsync", "params": [{ "tx_bytes": hex }],
    });
    let call = call.to_string();
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).expect("a node");
    let head =
        format!("POST /rpc HTTP/1.0\r\nHost: node\r\nContent-Type: application/json\r\nContent-Length: {}", call.len());
    write!(stream, "{head}\r\nConnection: close\r\n\r\n{call}").expect("sent");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    let answer = json(answer.split_once("\r\n\r\n").expect("a body").1);
    let message = answer["error"]["message"].as_str().unwrap_or_else(|| panic!("it is refused: {answer}"));
    message.split(',').next().unwrap_or_default().to_owned()
}

/// The sum of all lines of a metric that have this text.
fn counted(metrics: &str, name: &str, has: &str) -> u64 {
    let lines = metrics.lines().filter(|line| line.starts_with(name) && line.contains(has));
    lines.filter_map(|line| line.rsplit_once(' ')?.1.parse::<u64>().ok()).sum()
}

#[test]
fn a_node_goes_on_when_its_card_is_lost_while_it_verifies() {
    let home = Home::new();
    let (folder, network) = (tempfile::tempdir().expect("a folder"), home.path().join("network"));
    let gone = folder.path().join("gone");
    let env = with_working_card(folder.path(), &gone);
    let base = base_port();
    let (port, data_dir) = (base.to_string(), network.to_str().expect("UTF-8").to_owned());
    let localnet = ["localnet", "--json", "--validators", "1", "--base-port", &port, "--data-dir", &data_dir];

    let once =
        home.vigil_where(&without_vulkan(Path::new("/nonexistent.json")), &[&localnet[..], &["--for", "1s"]].concat());
    assert_eq!(once.code, 0, "{once:?}");
    let listed = home.vigil_where(&env, &["gpu", "list", "--json"]);
    let card = &json(&listed.stdout)["cards"][0];
    assert!(card["why_not"].is_null(), "{listed:?}");
    calibrated(
        &network,
        &format!("0 cuda: {} ({})", card["name"].as_str().expect("a name"), card["driver"].as_str().expect("a driver")),
    );

    let mut vigil = home.command(&[&localnet[..], &["--load", "700"]].concat());
    vigil.envs(env);
    let vigil = vigil.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("the binary");
    let mut node = Running(vigil);
    let metrics = || page(base + 4, "/metrics");
    let by_card = |metrics: &str| counted(metrics, "vigil_accel_items_total{", "backend=\"cuda\"");
    let before = until("work of the card", || metrics().filter(|metrics| by_card(metrics) > 700));
    let up = |metrics: &str| counted(metrics, "vigil_accel_gpu_up{", "card=\"cuda 0: Fake\"");
    assert_eq!(up(&before), 1);
    assert_eq!(verdict_on_a_forgery(base, 1), "Signature verification failed");

    std::fs::write(&gone, "").expect("written");
    let taken_over = |metrics: &str| counted(metrics, "vigil_accel_fallback_items_total{", "backend=\"cuda\"");
    let is_lost = |metrics: &String| up(metrics) == 0 && taken_over(metrics) >= 256;
    let after = until("the loss in the middle of a batch", || metrics().filter(is_lost));
    assert_eq!(counted(&after, "vigil_accel_gpu_faults_total{", "cuda 0"), 1, "{after}");
    let url = format!("http://127.0.0.1:{base}/rpc");
    let status = || serde_json::from_str::<Value>(&home.vigil_at(&url, &["status", "--json"], "").stdout).ok();
    let height = |status: &Value| status["settled_height"].as_str()?.parse::<u64>().ok();
    let lost = until("the status", status);
    let card = &lost["graphics_cards"][0];
    assert_eq!((&card["name"], &card["in_use"], &card["faults"]), (&"cuda 0: Fake".into(), &false.into(), &1.into()));
    assert!(lost.get("not_ready").is_none(), "{lost}");
    let ready = until("health", || page(base + 4, "/health/ready"));
    assert!(
        ready.contains("\"ready\":true") && ready.contains("the graphics card cuda 0: Fake is not used"),
        "{ready}"
    );
    let verified = |metrics: &str| counted(metrics, "vigil_accel_items_total{op=\"recover\"", "");
    let on = until("work without it", || metrics().filter(|metrics| verified(metrics) >= verified(&after) + 800));
    assert_eq!(by_card(&on), by_card(&after), "it is not asked again");
    until("more blocks", || status().filter(|status| height(status) > height(&lost).map(|height| height + 4)));
    assert_eq!(verdict_on_a_forgery(base, 2), "Signature verification failed");

    let pid = node.0.id().to_string();
    assert!(Command::new("kill").args(["-INT", &pid]).status().expect("kill").success());
    let mut text = String::new();
    node.0.stdout.take().expect("piped").read_to_string(&mut text).expect("text");
    let summary = json(text.lines().last().expect("a summary"));
    assert!(summary["txs_settled"].as_u64().is_some_and(|count| count > 1_200), "{summary}");
    assert_eq!((&summary["errors"], &summary["forks"], &summary["roots_equal"]), (&0.into(), &0.into(), &true.into()));
}
