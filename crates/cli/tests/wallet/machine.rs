//! `vigil doctor` and `vigil calibrate`.

use crate::Home;
use serde_json::Value;

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|why| panic!("{why}: {text}"))
}

/// A data folder as far as these commands look into it.
fn data_dir(home: &Home, config: &str) -> String {
    let folder = home.path().join("node");
    std::fs::create_dir_all(&folder).expect("made");
    std::fs::write(folder.join("config.toml"), config).expect("writable");
    folder.to_str().expect("UTF-8").to_owned()
}

#[test]
fn the_doctor_names_what_is_there_and_calibration_changes_his_mind() {
    let home = Home::new();
    let before = home.vigil(&["doctor", "--json"], "");
    assert_eq!(before.code, 0, "{before:?}");
    let before = json(&before.stdout);
    assert!(before["cpu"].as_str().is_some_and(|cpu| !cpu.is_empty()), "{before}");
    assert_eq!((&before["backends"][0]["name"], &before["backends"][0]["found"]), (&"portable".into(), &true.into()));
    assert_eq!(before["calibration"]["usable"], false);

    let folder = data_dir(&home, "");
    let measured = home.vigil(&["calibrate", "--json"], "");
    assert_eq!(measured.code, 0, "{measured:?}");
    let measured = json(&measured.stdout);
    assert_eq!(measured["file"], format!("{folder}/calibration.json"));
    let after = json(&home.vigil(&["doctor", "--json"], "").stdout);
    assert_eq!(after["calibration"]["usable"], true, "{after}");
    assert_eq!(after["operations"], measured["plan"]);
    let words = home.vigil(&["doctor"], "").stdout;
    assert!(words.contains("Backends:\n  portable: found\n") && words.contains("\n  recover: "), "{words}");

    // Another build's is of no use.
    let file = home.path().join("node/calibration.json");
    let mut older = json(&std::fs::read_to_string(&file).expect("readable"));
    older["commit"] = "another".into();
    std::fs::write(&file, older.to_string()).expect("writable");
    let older = home.vigil(&["doctor"], "").stdout;
    assert!(older.contains("not measured: it is of version") && older.contains("(another, form "), "{older}");

    std::fs::write(file, "{}").expect("writable");
    let damaged = home.vigil(&["doctor"], "");
    assert!(damaged.code == 0 && damaged.stdout.contains("not measured: it is damaged"), "{damaged:?}");
}

#[test]
fn what_is_asked_for_and_missing_is_a_failure() {
    let home = Home::new();
    // No machine has both.
    let other = if cfg!(target_arch = "aarch64") { "avx2" } else { "neon" };
    data_dir(&home, &format!("[accel]\nbackend = \"{other}\"\n"));
    let ended = home.vigil(&["doctor"], "");
    assert_eq!(ended.code, 1, "{ended:?}");
    assert!(ended.stdout.contains(&format!("{other}: is for ")), "{ended:?}");
    assert!(ended.stderr.contains(&format!("`accel.backend` is {other}")), "{ended:?}");
    data_dir(&home, "[accel]\nbackend = \"opencl\"\n");
    let ended = home.vigil(&["doctor"], "");
    assert!(ended.code == 2 && ended.stderr.contains("must be one of auto, portable"), "{ended:?}");
}

/// What the node would do with the result: it must not measure again.
#[test]
fn calibration_is_of_the_backends_that_the_configuration_allows() {
    let home = Home::new();
    data_dir(&home, "[accel]\nbackend = \"portable\"\n");
    let measured = home.vigil(&["calibrate", "--json"], "");
    assert_eq!(measured.code, 0, "{measured:?}");
    let measured = json(&measured.stdout);
    for (op, steps) in measured["plan"].as_object().expect("operations") {
        let steps = steps.as_array().expect("steps");
        assert!(
            steps.iter().all(|step| step["backend"] == "portable" || step["backend"] == "oracle"),
            "{op}: {steps:?}"
        );
    }
    let doctor = json(&home.vigil(&["doctor", "--json"], "").stdout);
    assert_eq!((&doctor["calibration"]["usable"], &doctor["operations"]), (&true.into(), &measured["plan"]));

    let other = if cfg!(target_arch = "aarch64") { "avx2" } else { "neon" };
    data_dir(&home, &format!("[accel]\nbackend = \"{other}\"\n"));
    let ended = home.vigil(&["calibrate"], "");
    assert!(ended.code == 2 && ended.stderr.contains("which this machine cannot run"), "{ended:?}");
}

#[test]
fn threads_are_pinned_if_there_is_one_for_each_core() {
    let home = Home::new();
    let doctor = |config: &str| {
        data_dir(&home, config);
        (json(&home.vigil(&["doctor", "--json"], "").stdout), home.vigil(&["doctor"], "").stdout)
    };
    let (found, _) = doctor("");
    let cores = found["cores"].as_u64().expect("a number");
    for threads in [cores, cores + 1] {
        let (found, words) = doctor(&format!("[accel]\nthreads = {threads}\n"));
        assert_eq!(found["accel"]["pinned"], threads == cores, "{found}");
        let want =
            if threads == cores { ", each on its core;" } else { ", not pinned: there is not one for each core;" };
        assert!(words.contains(want), "{words}");
    }
    let (found, words) = doctor(&format!("[accel]\nthreads = {cores}\npin = false\n"));
    assert!(found["accel"]["pinned"] == false && words.contains(", not pinned;"), "{words}");
}

#[test]
fn a_calibration_is_not_kept_where_no_node_is() {
    let home = Home::new();
    let measured = home.vigil(&["calibrate"], "");
    assert_eq!(measured.code, 0, "{measured:?}");
    assert!(measured.stdout.contains("not kept") && measured.stdout.contains("\nkeccak256: "), "{measured:?}");
    let folder = home.path().join("nowhere");
    for command in ["calibrate", "doctor"] {
        let ended = home.vigil(&[command, "--data-dir", folder.to_str().expect("UTF-8")], "");
        assert!(ended.code == 1 && ended.stderr.contains("is no data folder") && ended.stdout.is_empty(), "{ended:?}");
    }
    assert!(!folder.exists());
}
