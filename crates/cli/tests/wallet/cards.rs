//! Machines whose graphics cards, drivers or loaders are no good: clean words, the same work, and nothing hangs.

use crate::Home;
use serde_json::Value;
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// For a node to start and to settle blocks.
const PATIENCE: Duration = Duration::from_secs(120);

/// What a process is told of a machine.
pub(super) type Env = Vec<(&'static str, String)>;

/// A Vulkan loader that finds no driver, whatever this machine has.
pub(super) fn without_vulkan(driver: &Path) -> Env {
    let driver = driver.to_str().expect("UTF-8").to_owned();
    vec![("VK_DRIVER_FILES", driver.clone()), ("VK_ICD_FILENAMES", driver)]
}

/// The same with a library in the place of CUDA's driver. It plays one card whose kernels do nothing; `more` says what goes
/// wrong before that.
fn with_fake_cuda(folder: &Path, more: &[(&'static str, &str)]) -> Env {
    let library = folder.join("libcuda.so.1");
    if !library.exists() {
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("../accel/tests/fake_cuda/libcuda.c");
        let mut cc = Command::new("cc");
        cc.args(["-std=c11", "-O1", "-shared", "-fPIC", "-pthread", "-o"]).arg(&library).arg(source);
        let made = cc.output().unwrap_or_else(|why| panic!("{why}: the tests need cc"));
        assert!(made.status.success(), "{made:?}");
        std::os::unix::fs::symlink("libcuda.so.1", folder.join("libcuda.so")).expect("linked");
    }
    let folder = folder.to_str().expect("UTF-8");
    let mut env = without_vulkan(Path::new("/nonexistent.json"));
    env.push(("LD_LIBRARY_PATH", folder.to_owned()));
    env.push(("VIGIL_GPU_CACHE", format!("{folder}/cache")));
    env.extend(more.iter().map(|(key, value)| (*key, (*value).to_owned())));
    env
}

pub(super) fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|why| panic!("{why}: {text}"))
}

/// No card is used; `gpu list` and `doctor` say so and why, and neither is a failure.
fn none_is_used(home: &Home, env: &Env) -> Vec<Value> {
    let listed = home.vigil_where(env, &["gpu", "list", "--json"]);
    assert_eq!(listed.code, 0, "{env:?}: {listed:?}");
    let listed = json(&listed.stdout);
    assert_eq!(listed["ready"], "", "{env:?}: {listed}");
    let cards = listed["cards"].as_array().expect("cards").clone();
    assert!(cards.iter().all(|card| card["why_not"].as_str().is_some_and(|why| !why.is_empty())), "{listed}");
    let doctor = home.vigil_where(env, &["doctor"]);
    assert_eq!(doctor.code, 0, "{env:?}: {doctor:?}");
    cards
}

/// `calibrate` asks for the cards that the node would ask for.
#[test]
fn calibration_leaves_cards_alone_where_the_configuration_names_a_backend_of_the_processor() {
    let home = Home::new();
    let (data, library) = (home.path().join("node"), home.path().join("library"));
    for folder in [&data, &library] {
        std::fs::create_dir(folder).expect("made");
    }
    // It says on stderr which call fails: none, if none is made.
    let env = with_fake_cuda(&library, &[("FAKE_CUDA_FAIL", "1")]);
    for (backend, is_touched) in [("auto", true), ("portable", false)] {
        std::fs::write(data.join("config.toml"), format!("[accel]\nbackend = \"{backend}\"\n")).expect("written");
        let ended = home.vigil_where(&env, &["calibrate"]);
        assert_eq!((ended.code, ended.stderr.contains("fake driver: call 1")), (0, is_touched), "{ended:?}");
    }
}

#[test]
fn a_loader_without_a_device_finds_none() {
    let home = Home::new();
    let (empty, garbage) = (home.path().join("empty.json"), home.path().join("garbage.json"));
    std::fs::write(&empty, "").expect("written");
    let points_nowhere =
        r#"{"file_format_version": "1.0.0", "ICD": {"library_path": "/nonexistent.so", "api_version": "1.3.0"}}"#;
    std::fs::write(&garbage, points_nowhere).expect("written");
    for driver in [Path::new("/nonexistent.json"), &empty, &garbage] {
        let env = without_vulkan(driver);
        none_is_used(&home, &env);
        let tested = home.vigil_where(&env, &["gpu", "selftest", "--software"]);
        assert!(tested.code == 0 && tested.stdout.contains("nothing was tested"), "{tested:?}");
    }
    let mut asked = without_vulkan(Path::new("/nonexistent.json"));
    asked.push(("VIGIL_REQUIRE_BACKENDS", "portable, wgpu, wgpu-software, wgpu-plain, opencl".to_owned()));
    let doctor = home.vigil_where(&asked, &["doctor"]);
    assert_eq!(doctor.code, 1, "{doctor:?}");
    for says in [
        "4 of what is asked for",
        "vulkaninfo",
        "names wgpu-software: no Vulkan driver in software",
        "names wgpu-plain: no Vulkan driver in software",
        "no such backend",
    ] {
        assert!(doctor.stderr.contains(says), "{says} in {doctor:?}");
    }
}

#[test]
fn a_cuda_driver_that_fails_is_told_and_not_used() {
    let home = Home::new();
    let folder = tempfile::tempdir().expect("a folder");
    let fails: [(&[_], &str); 4] = [
        (&[("FAKE_CUDA_FAIL", "1")], "cuInit: error 999"),
        (&[("FAKE_CUDA_FAIL", "1"), ("FAKE_CUDA_CODE", "100")], "finds no card"),
        (&[("FAKE_CUDA_FAIL", "5")], "error 999"),
        (&[], ""), // a card is there, and nothing to make kernels with; or they do nothing
    ];
    for (more, says) in fails {
        let env = with_fake_cuda(folder.path(), more);
        let cards = none_is_used(&home, &env);
        let why = cards.iter().find(|card| card["backend"] == "cuda").expect("the fake")["why_not"].clone();
        assert!(why.as_str().is_some_and(|why| why.contains(says)), "{more:?}: {why}");
        let tested = home.vigil_where(&env, &["gpu", "selftest"]);
        let is_missing = says == "finds no card";
        assert_eq!(tested.code, i32::from(!is_missing), "{more:?}: {tested:?}");
        assert!(is_missing || tested.stderr.contains("Work goes to the processor instead"), "{tested:?}");
    }
    let mut asked = with_fake_cuda(folder.path(), &[("FAKE_CUDA_FAIL", "1")]);
    asked.push(("VIGIL_REQUIRE_BACKENDS", "cuda".to_owned()));
    let doctor = home.vigil_where(&asked, &["doctor"]);
    assert_eq!(doctor.code, 1, "{doctor:?}");
    assert!(
        doctor.stderr.contains("names cuda: cuInit: error 999")
            && doctor.stderr.contains("`vigil gpu selftest` tries again"),
        "{doctor:?}"
    );
}

/// Two processes on one card, which a driver in software plays.
#[test]
fn two_processes_share_a_card() {
    let home = Home::new();
    let test = || home.vigil_where(&Vec::new(), &["gpu", "selftest", "--software", "--json"]);
    let both =
        std::thread::scope(|scope| [scope.spawn(test), scope.spawn(test)].map(|one| one.join().expect("it ends")));
    let outcomes = both.map(|ended| {
        assert_eq!(ended.code, 0, "{ended:?}");
        let cards = json(&ended.stdout)["cards"].as_array().expect("cards").clone();
        let software = cards.into_iter().find(|card| card["backend"] == "wgpu (software)").expect("asked for");
        software["outcome"].as_str().expect("an outcome").to_owned()
    });
    assert!(outcomes == ["passed", "passed"] || outcomes == ["absent", "absent"], "{outcomes:?}");
}

/// A process that is killed when the test ends.
pub(super) struct Running(pub(super) Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _it_has_ended = self.0.kill();
        let _reaped = self.0.wait();
    }
}

/// Five ports in a row that are free, as far as one can tell.
pub(super) fn base_port() -> u16 {
    let free = |port: u16| TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok();
    let any = || TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port").local_addr().expect("bound").port();
    std::iter::repeat_with(any).find(|port| *port < 65_530 && (*port..port + 5).all(free)).expect("endless")
}

/// The body of a page, if it is there yet.
pub(super) fn page(port: u16, path: &str) -> Option<String> {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).ok()?;
    write!(stream, "GET {path} HTTP/1.0\r\nHost: node\r\nConnection: close\r\n\r\n").ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    answer.split_once("\r\n\r\n").map(|(_, body)| body.to_owned())
}

/// Asks until there is an answer.
pub(super) fn until<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    while begun.elapsed() < PATIENCE {
        if let Some(found) = ask() {
            return found;
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    panic!("gave up: {what}");
}

/// A node goes on with the processor, is ready, and tells of the card it does not use.
#[test]
fn a_node_goes_on_without_a_card_that_fails() {
    let home = Home::new();
    let folder = tempfile::tempdir().expect("a folder");
    let base = base_port();
    let port = base.to_string();
    let args = ["localnet", "--validators", "1", "--base-port", &port, "--load", "20"];
    let mut vigil = home.command(&args);
    vigil.envs(with_fake_cuda(folder.path(), &[("FAKE_CUDA_FAIL", "1")]));
    let _node =
        Running(vigil.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("the binary"));
    let url = format!("http://127.0.0.1:{base}/rpc");
    let status = until("settled blocks", || {
        let ended = home.vigil_at(&url, &["status", "--json"], "");
        let status: Value = serde_json::from_str(&ended.stdout).ok()?;
        status["settled_height"].as_str()?.parse::<u64>().is_ok_and(|height| height > 2).then_some(status)
    });
    let card = &status["graphics_cards"][0];
    assert_eq!(
        (&card["name"], &card["in_use"], &card["faults"]),
        (&"cuda 0".into(), &false.into(), &1.into()),
        "{status}"
    );
    assert!(status.get("not_ready").is_none(), "{status}");
    let ready = until("health", || page(base + 4, "/health/ready"));
    let warning = "the graphics card cuda 0 is not used: cuInit: error 999";
    assert!(ready.contains("\"ready\":true") && ready.contains(warning), "{ready}");
    let metrics = until("metrics", || page(base + 4, "/metrics"));
    for line in ["vigil_accel_gpu_up{card=\"cuda 0\"} 0", "vigil_accel_gpu_faults_total{card=\"cuda 0\"} 1"] {
        assert!(metrics.lines().any(|l| l == line), "{line} in:\n{metrics}");
    }
    let words = home.vigil_at(&url, &["status"], "").stdout;
    assert!(words.contains("card      cuda 0 not used: cuInit"), "{words}");
}
