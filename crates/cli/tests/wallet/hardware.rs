//! The profiles in `hardware/`.

use std::path::Path;
use vigil_node::Config;

/// Unknown keys and values out of range are refused by the same reader that `vigil start` has.
#[test]
fn every_profile_is_a_configuration() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../hardware");
    let read_me = std::fs::read_to_string(folder.join("README.md")).expect("there");
    let files = std::fs::read_dir(&folder).expect("there").map(|entry| entry.expect("readable").path());
    let mut names: Vec<String> = files
        .filter(|path| path.extension().is_some_and(|end| end == "toml"))
        .map(|path| {
            let config = Config::load(Some(&path), [], []).unwrap_or_else(|why| panic!("{why}"));
            assert_ne!(config, Config::default(), "{} changes nothing", path.display());
            path.file_name().and_then(|name| name.to_str()).expect("UTF-8").to_owned()
        })
        .collect();
    names.sort();
    assert_eq!(names, ["gpu-server.toml", "relay-box.toml", "smart-tv.toml"]);
    for name in names {
        assert!(read_me.contains(&format!("`{name}`")), "README.md does not say what {name} is for");
    }
}
