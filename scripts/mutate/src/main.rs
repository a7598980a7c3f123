//! Plants bugs in accel's arithmetic, one at a time, and asks the conformance suite about each, and before it the unit
//! tests: of exceptional additions, which depend on a secret, so that no input of the suite brings them about; of inverses,
//! of which a batch needs one, of a number that nobody chooses; of sums, which cost time and no answer if they are wrong.
//!
//! All bugs are compiled into the test programs; `VIGIL_MUTANT` picks one when it runs, so that a bug costs a run and no
//! build. Works in a copy of the tree; see `scripts/mutate.sh`.
//!
//! `mutate TREE TARGET EQUIVALENT SHARE [WORD...]`: the copy, its target directory, the list of bugs that change no
//! answer, 1/SHARE of the bugs is run, of the files whose path holds one of the words.

mod sites;

use sites::Site;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::time::{Duration, Instant};

/// What is looked at, below `crates/accel/src`.
const SOURCES: [&str; 6] = ["field", "secp", "keccak", "signer_vectors", "words.rs", "safegcd.rs"];
/// A run without any bug ends within this.
const PATIENCE: Duration = Duration::from_secs(600);
/// So many times as long as without any bug, and at least so long, a run may take before it counts as one that never ends.
const SLOWER: (u32, Duration) = (4, Duration::from_secs(20));
/// Unit tests to run.
const UNITS: &[&str] = &["secp::", "field::", "keccak::", "signer_vectors::", "inverses"];
/// Random items an operation: what is planted is wrong far more often than once in so many, or never.
const RANDOM_ITEMS: &str = "2000";
/// Tests of the suite to run, the cheap ones first: a bug that any turns red is not run further.
const STAGES: [&[&str]; 4] = [
    &["bitcoin_core", "geth", "recover_points", "keccak256_known", "signer_vectors"],
    &["ethers", "keccak256_batch_sizes", "build_combs", "slices"],
    &["near_the_bounds", "forced", "malformed", "_keys", "rfc_6979", "wycheproof", "cancelling"],
    &["_sizes", "_bad", "_length", "_random"],
];
/// Backends that have nothing to do with the files whose path holds the word.
const ELSEWHERE: [(&str, &[&str]); 6] = [
    ("ifma", &["portable::", "avx2::"]),
    ("x8", &["portable::", "avx2::"]),
    ("pair", &["portable::", "avx2::"]),
    ("x4", &["portable::", "avx512ifma::"]),
    ("scalar", &["avx512ifma::"]),
    ("plain", &["avx512ifma::"]),
];
/// Put into the crate: which bug is alive.
const MODULE: &str = "
#[doc(hidden)]
#[allow(missing_docs, clippy::all)]
pub mod mutant {
    use std::sync::atomic::{AtomicU32, Ordering};
    static ALIVE: AtomicU32 = AtomicU32::new(u32::MAX);
    #[inline(always)]
    pub fn on(id: u32) -> bool {
        let alive = ALIVE.load(Ordering::Relaxed);
        if alive == u32::MAX { init() == id } else { alive == id }
    }
    #[cold]
    fn init() -> u32 {
        let id = std::env::var(\"VIGIL_MUTANT\").ok().and_then(|id| id.parse().ok()).unwrap_or(0);
        ALIVE.store(id, Ordering::Relaxed);
        id
    }
    pub trait Bump { fn bump(self) -> Self; }
    macro_rules! bump { ($($t:ty)*) => { $(impl Bump for $t { fn bump(self) -> Self { self.wrapping_add(1) } })* }; }
    bump!(u8 u16 u32 u64 u128 usize i8 i16 i32 i64 i128 isize);
    impl<T: Bump + Copy, const N: usize> Bump for [T; N] {
        fn bump(mut self) -> Self { if N > 0 { self[0] = self[0].bump(); } self }
    }
}
";

/// One bug and how to call it.
struct Bug {
    id: usize,
    file: usize,
    site: Site,
    /// File, function, what becomes what, and which of several that read alike.
    name: String,
    line: usize,
}

impl Bug {
    /// The file, below `crates/accel/src`.
    fn path(&self) -> &str {
        self.name.split(' ').next().expect("a word")
    }
}

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().collect();
    let [_, tree, target, equivalent, share, words @ ..] = args.as_slice() else { panic!("see the top of main.rs") };
    let (tree, share) = (Path::new(tree), share.parse::<usize>().expect("a number"));
    let files = files(&tree.join("crates/accel/src"), words);
    let sources: Vec<String> = files.iter().map(|f| fs::read_to_string(f).expect("readable")).collect();
    let mut bugs = bugs(tree, &files, &sources);
    let programs = build(tree, Path::new(target), &files, &sources, &mut bugs);
    let patience = Patience::measure(&programs, tree);
    let picked: Vec<&Bug> = bugs.iter().filter(|bug| bug.id % share == 0).collect();
    println!("{} bugs in {} files, {} of them are run", bugs.len(), files.len(), picked.len());
    let survivors = survivors(&programs, tree, &patience, &picked);
    report(&picked, &survivors, &explained(Path::new(equivalent)))
}

/// Sources without tests.
fn files(src: &Path, words: &[String]) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut open: Vec<PathBuf> = SOURCES.iter().map(|s| src.join(s)).filter(|p| p.exists()).collect();
    while let Some(path) = open.pop() {
        if path.is_dir() {
            open.extend(fs::read_dir(&path).expect("a folder").map(|e| e.expect("an entry").path()));
        } else if path.extension().is_some_and(|e| e == "rs") && !path.to_string_lossy().contains("test") {
            let name = path.strip_prefix(src).expect("below").to_string_lossy().into_owned();
            let compiled = name != "keccak/x2.rs" || cfg!(target_arch = "aarch64");
            if compiled && (words.is_empty() || words.iter().any(|word| name.contains(word.as_str()))) {
                files.push(path);
            }
        }
    }
    files.sort();
    files
}

fn bugs(tree: &Path, files: &[PathBuf], sources: &[String]) -> Vec<Bug> {
    let mut bugs = Vec::new();
    let mut seen = BTreeMap::<String, usize>::new();
    for (file, source) in sources.iter().enumerate() {
        let path = files[file].strip_prefix(tree.join("crates/accel/src")).expect("below");
        for site in sites::sites(source) {
            let was = source[site.range.clone()].split_whitespace().collect::<Vec<_>>().join(" ");
            let name = format!("{} {}: {was} => {}", path.display(), site.function, site.text);
            let count = seen.entry(name.clone()).or_default();
            *count += 1;
            let name = if *count > 1 { format!("{name} #{count}") } else { name };
            let line = source[..site.range.start].lines().count().max(1);
            bugs.push(Bug { id: bugs.len() + 1, file, site, name, line });
        }
    }
    bugs
}

/// The source with a choice at each site.
fn planted(source: &str, bugs: &[&Bug]) -> String {
    let mut by_range = BTreeMap::<(usize, std::cmp::Reverse<usize>), Vec<&Bug>>::new();
    for bug in bugs {
        by_range.entry((bug.site.range.start, std::cmp::Reverse(bug.site.range.end))).or_default().push(bug);
    }
    let sites: Vec<_> = by_range.into_values().collect();
    let mut text = String::new();
    let mut next = 0;
    render(source, 0..source.len(), &sites, &mut next, &mut text);
    text
}

fn render(source: &str, range: std::ops::Range<usize>, sites: &[Vec<&Bug>], next: &mut usize, out: &mut String) {
    let mut at = range.start;
    while let Some(site) = sites.get(*next).filter(|site| site[0].site.range.start < range.end) {
        let inner = site[0].site.range.clone();
        *next += 1;
        out.push_str(&source[at..inner.start]);
        out.push('(');
        for bug in site {
            write!(out, "if crate::mutant::on({}) {{ {} }} else ", bug.id, bug.site.text).expect("memory");
        }
        out.push_str("{ ");
        render(source, inner.clone(), sites, next, out);
        out.push_str(" })");
        at = inner.end;
    }
    out.push_str(&source[at..range.end]);
}

/// The test programs.
struct Programs {
    units: PathBuf,
    suite: PathBuf,
}

/// Bugs that do not compile are left out.
fn build(tree: &Path, target: &Path, files: &[PathBuf], sources: &[String], bugs: &mut Vec<Bug>) -> Programs {
    let lib = tree.join("crates/accel/src/lib.rs");
    let text = fs::read_to_string(&lib).expect("readable");
    if !text.contains("pub mod mutant") {
        fs::write(&lib, text + MODULE).expect("writable");
    }
    loop {
        let mut lines = Vec::new();
        for (file, source) in sources.iter().enumerate() {
            let here: Vec<&Bug> = bugs.iter().filter(|bug| bug.file == file).collect();
            // The program is built for this CPU, so that what must be inlined to be right no longer must.
            let text = planted(source, &here).replace("#[inline(always)]", "#[inline]");
            fs::write(&files[file], &text).expect("writable");
            lines.push(text.lines().map(str::to_owned).collect::<Vec<_>>());
        }
        let output = Command::new("cargo")
            .args([
                "test",
                "--release",
                "-p",
                "vigil-accel",
                "--lib",
                "--test",
                "conformance",
                "--no-run",
                "--features",
                "bounds-check",
            ])
            .current_dir(tree)
            .env("CARGO_TARGET_DIR", target)
            .env("RUSTFLAGS", "-C target-cpu=native --cap-lints allow")
            .env("CARGO_PROFILE_RELEASE_OPT_LEVEL", "2")
            .stdout(Stdio::null())
            .output()
            .expect("cargo runs");
        let said = String::from_utf8_lossy(&output.stderr);
        if output.status.success() {
            let named = |what: &str| {
                let mut lines = said.lines().filter(|l| l.contains("Executable") && l.contains(what));
                PathBuf::from(
                    lines.find_map(|l| l.split("(").nth(1)?.strip_suffix(")")).expect("cargo names the program"),
                )
            };
            return Programs { units: named("src/lib.rs"), suite: named("tests/conformance") };
        }
        let bad = guilty(&said, tree, files, &lines);
        assert!(!bad.is_empty(), "the build fails:\n{said}");
        eprintln!("{} bugs do not compile", bad.len());
        bugs.retain(|bug| !bad.contains(&bug.id));
    }
}

/// The bugs that errors of the compiler point at: the one chosen at the place, else the last one before it.
fn guilty(said: &str, tree: &Path, files: &[PathBuf], lines: &[Vec<String>]) -> BTreeSet<usize> {
    let mut bad = BTreeSet::new();
    let mut in_error = false;
    for message in said.lines() {
        if message.starts_with("error") || message.starts_with("warning") {
            in_error = message.starts_with("error");
        }
        let Some(place) = message.trim_start().strip_prefix("--> ").filter(|_| in_error) else { continue };
        let mut parts = place.split(':');
        let path = tree.join(parts.next().unwrap_or_default());
        let numbers: Vec<usize> = parts.filter_map(|n| n.parse().ok()).collect();
        let (Some(file), &[line, column]) = (files.iter().position(|f| *f == path), numbers.as_slice()) else {
            continue;
        };
        let text = &lines[file][line - 1];
        let mut before: String = text.chars().take(column - 1).collect();
        let from: String = text.chars().skip(column - 1).collect();
        if from.starts_with("(if crate::mutant::on(") {
            before.extend(from.split_inclusive(')').next());
        }
        for earlier in (0..line).rev() {
            if let Some(id) = before.rsplit("mutant::on(").next().filter(|_| before.contains("mutant::on(")) {
                bad.extend(id.split(')').next().and_then(|id| id.parse::<usize>().ok()));
                break;
            }
            before = lines[file][earlier.saturating_sub(1)].clone();
        }
    }
    bad
}

/// How long the runs of a bug may take.
struct Patience {
    units: Duration,
    stages: [Duration; STAGES.len()],
}

impl Patience {
    /// Runs everything without any bug, by which the tests are also seen to be green.
    fn measure(programs: &Programs, tree: &Path) -> Self {
        let measure = |program, tests| {
            let start = Instant::now();
            assert!(run(program, tree, 0, tests, &[], PATIENCE), "red without any bug: {tests:?}");
            (start.elapsed() * SLOWER.0).max(SLOWER.1)
        };
        Self { units: measure(&programs.units, UNITS), stages: STAGES.map(|stage| measure(&programs.suite, stage)) }
    }
}

/// True if the tests of these names are green with this bug, and end in time. It ends with the first that is not.
fn run(program: &Path, tree: &Path, id: usize, tests: &[&str], skipped: &[&str], patience: Duration) -> bool {
    let mut child = Command::new(program)
        .args(tests)
        .args(["--test-threads", "1"])
        .args(skipped.iter().flat_map(|backend| ["--skip", backend]))
        .current_dir(tree.join("crates/accel"))
        .env("VIGIL_MUTANT", id.to_string())
        .env("RUST_BACKTRACE", "0")
        .env("VIGIL_TEST_ITEMS_MAX", RANDOM_ITEMS)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("the program runs");
    let lines = BufReader::new(child.stdout.take().expect("piped")).lines();
    let (done, ended) = mpsc::channel();
    std::thread::spawn(move || {
        let red = lines.map_while(Result::ok).any(|line| line.ends_with("FAILED"));
        let _ = done.send(!red);
    });
    let green = ended.recv_timeout(patience).unwrap_or(false);
    if !green {
        // It may have ended by itself.
        let _ = child.kill();
    }
    child.wait().expect("a child").success() && green
}

/// The bugs that no stage turns red, worked on by all threads.
fn survivors<'a>(programs: &Programs, tree: &Path, patience: &Patience, bugs: &[&'a Bug]) -> Vec<&'a Bug> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let next = AtomicUsize::new(0);
    let work = || {
        let mut alive = Vec::new();
        while let Some(bug) = bugs.get(next.fetch_add(1, Ordering::Relaxed)) {
            let elsewhere = ELSEWHERE.iter().find(|(word, _)| bug.path().contains(word));
            let skipped = elsewhere.map_or(&[][..], |(_, backends)| backends);
            if !run(&programs.units, tree, bug.id, UNITS, &[], patience.units) {
                println!("red in the unit tests: {}:{}", bug.name, bug.line);
                continue;
            }
            let red = STAGES
                .iter()
                .zip(patience.stages)
                .position(|(stage, patience)| !run(&programs.suite, tree, bug.id, stage, skipped, patience));
            match red {
                Some(stage) => println!("red at stage {stage}: {}:{}", bug.name, bug.line),
                None => {
                    println!("SURVIVES: {}:{}", bug.name, bug.line);
                    alive.push(*bug);
                }
            }
        }
        alive
    };
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        workers.into_iter().flat_map(|w| w.join().expect("no panic")).collect()
    })
}

/// Names of the bugs that change no answer: lines `name | reason`, `#` for remarks.
fn explained(list: &Path) -> BTreeSet<String> {
    let text = fs::read_to_string(list).expect("the list is there");
    let lines = text.lines().filter(|l| !l.starts_with('#') && !l.trim().is_empty());
    lines.map(|l| l.rsplit_once(" | ").expect("name | reason").0.to_owned()).collect()
}

fn report(picked: &[&Bug], survivors: &[&Bug], explained: &BTreeSet<String>) -> ExitCode {
    let unexplained: Vec<_> = survivors.iter().filter(|bug| !explained.contains(&bug.name)).collect();
    for bug in picked.iter().filter(|bug| explained.contains(&bug.name)) {
        if !survivors.iter().any(|alive| alive.id == bug.id) {
            println!("listed as harmless, but turns the suite red: {}", bug.name);
        }
    }
    for bug in &unexplained {
        println!("no test notices: {}", bug.name);
    }
    let (run, alive) = (picked.len(), survivors.len());
    println!(
        "{run} bugs: {} turn the suite red, {alive} do not, {} of these without a reason",
        run - alive,
        unexplained.len()
    );
    if unexplained.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
