use super::*;
use crate::detect;

const COMMIT: &str = "abc";

/// Figures of two backends for every operation: `(size, ns)`.
fn made(oracle: f64, portable: &[(usize, f64)], fast: &[(usize, f64)]) -> Calibration {
    let mut rows = Vec::new();
    for op in Op::ALL {
        let mut add = |name: &str, items, ns_per_item| {
            rows.push(Row { op, backend: name.to_owned(), items, ns_per_item });
        };
        add(ORACLE, 1, oracle);
        portable.iter().for_each(|(items, ns)| add("portable", *items, *ns));
        fast.iter().for_each(|(items, ns)| add("avx512ifma", *items, *ns));
    }
    let (version, commit) = (VERSION.to_owned(), COMMIT.to_owned());
    Calibration { format: FORMAT, machine: Machine::here(&detect(), &[]), version, commit, took_ms: 1, rows }
}

/// Figures of everything that is here.
fn whole() -> Calibration {
    let mut made = made(100.0, &[], &[]);
    for op in Op::ALL {
        let row = |name: &String| Row { op, backend: name.clone(), items: 1, ns_per_item: 90.0 };
        made.rows.extend(made.machine.backends.iter().map(row));
    }
    made
}

#[derive(Debug)]
struct Fast;

impl Backend for Fast {
    fn name(&self) -> BackendName {
        BackendName::Avx512Ifma
    }

    fn build_combs(&self, keys: &[crate::PublicKey]) -> Vec<Option<crate::Comb>> {
        keys.iter().map(|_| None).collect()
    }
}

#[test]
fn the_fastest_is_chosen_at_every_size() {
    let measured = made(100.0, &[(1, 130.0), (4, 90.0), (16, 80.0)], &[(1, 800.0), (8, 100.0), (16, 50.0)]);
    let portable = detect()[0];
    let plan = measured.plan(&[portable, &Fast], &[]);
    let (none, some) = (None, Some);
    let step = |from, backend| Step { from, backend };
    let (slow, fast) = (some(BackendName::Portable), some(BackendName::Avx512Ifma));
    assert_eq!(plan.steps(Op::Recover), [step(1, none), step(4, slow), step(16, fast)]);
    let only = measured.plan(&[portable], &[]);
    assert_eq!(only.choose(Op::Keccak256, 4_096), slow, "what is not allowed is not chosen");
    assert_eq!(measured.plan(&[], &[]).choose(Op::Recover, 4_096), none);
    let order = |items| plan.order(Op::Recover, items).collect::<Vec<_>>();
    assert_eq!(order(16), [BackendName::Avx512Ifma, BackendName::Portable], "who takes over");
    assert_eq!((order(1), order(8)), (vec![], vec![BackendName::Portable]), "nobody who is slower than the oracle");
}

#[test]
fn a_small_difference_changes_nothing() {
    let noisy = made(100.0, &[(1, 99.0), (2, 97.0), (4, 60.0), (8, 103.0), (16, 120.0)], &[]);
    let plan = noisy.plan(&[detect()[0]], &[]);
    let chosen = [1, 2, 4, 8, 16].map(|items| plan.choose(Op::Recover, items).is_some());
    assert_eq!(chosen, [false, false, true, true, false]);
}

#[test]
fn a_file_is_used_again_only_where_it_belongs() {
    let dir = tempfile::tempdir().expect("temporary folder");
    let path = dir.path().join("calibration.json");
    let here = Machine::here(&detect(), &[]);
    let read = || Calibration::read(&path, &here, COMMIT);
    assert!(matches!(read(), Err(Unusable::Missing)));

    let good = whole();
    good.write(&path).expect("written");
    assert_eq!(read().expect("usable"), good);

    for op in Op::ALL {
        for backend in [ORACLE, "portable"] {
            let mut other = good.clone();
            other.rows.retain(|row| row.op != op || row.backend != backend);
            other.write(&path).expect("written");
            match (op, backend) {
                (Op::VerifyHot, "portable") => assert_eq!(read().expect("it makes no tables"), other),
                _ => assert!(read().expect_err("a hole").to_string().ends_with(&format!("lacks {op} by {backend}"))),
            }
        }
    }

    let mut other = good.clone();
    other.machine.cpu = "another".to_owned();
    other.write(&path).expect("written");
    assert!(read().expect_err("foreign").to_string().contains("another"));

    let mut other = good.clone();
    other.version = "0.0.1".to_owned();
    other.write(&path).expect("written");
    assert!(read().expect_err("older").to_string().contains("0.0.1"));

    let mut other = good.clone();
    other.commit = "another".to_owned();
    other.write(&path).expect("written");
    let why = read().expect_err("another build's").to_string();
    assert!(why.contains("(another, form ") && why.contains("(abc, form "), "{why}");

    let mut other = good.clone();
    other.format -= 1;
    other.write(&path).expect("written");
    let why = read().expect_err("measured in another way").to_string();
    assert!(why.contains(&format!("form {}), this is ", FORMAT - 1)), "{why}");

    let mut other = good.clone();
    other.rows[0].ns_per_item = -1.0;
    other.write(&path).expect("written");
    assert!(matches!(read(), Err(Unusable::Damaged(_))));

    let text = serde_json::to_string(&good).expect("serializes");
    for end in [0, 1, text.len() / 2, text.len() - 1] {
        std::fs::write(&path, &text[..end]).expect("written");
        assert!(matches!(read(), Err(Unusable::Damaged(_))), "cut at {end}");
    }
    std::fs::write(&path, [0xff, 0xfe]).expect("written");
    assert!(matches!(read(), Err(Unusable::Read(_))));
}

#[test]
fn a_moment_of_noise_is_not_kept() {
    let told = |smaller: f64, figures: &[f64]| {
        let mut figures = figures.iter().copied().cycle();
        undisturbed(smaller, || figures.next().expect("endless"))
    };
    assert_eq!(told(3.0, &[45.0, 44.0, 3.1]), 3.1);
    assert_eq!(told(3.0, &[3.5, 1.0]), 3.5, "near enough at once");
    assert_eq!(told(3.0, &[9.0, 8.0, 10.0]), 8.0, "it is so");
    assert_eq!(told(f64::INFINITY, &[60.0, 30.0]), 60.0, "the first has none before it");
}

#[test]
fn many_may_write_the_same_file() {
    let dir = tempfile::tempdir().expect("temporary folder");
    let path = dir.path().join("calibration.json");
    let made = whole();
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| (0..50).for_each(|_| made.write(&path).expect("written")));
        }
    });
    assert_eq!(Calibration::read(&path, &made.machine, COMMIT).expect("whole"), made);
    let left: Vec<_> = std::fs::read_dir(dir.path()).expect("folder").map(|e| e.expect("entry").file_name()).collect();
    assert_eq!(left, ["calibration.json"], "no drafts are left");
    std::fs::create_dir(dir.path().join("folder.json")).expect("made");
    assert!(made.write(&dir.path().join("folder.json")).is_err(), "a folder is in the way");
    assert_eq!(std::fs::read_dir(dir.path()).expect("folder").count(), 2, "no draft of that either");
}

#[test]
fn everything_that_is_there_is_measured() {
    let backends = detect();
    let measured = Calibration::measure(&backends, &[], "abc");
    eprintln!("took {} ms", measured.took_ms);
    for op in Op::ALL.into_iter().filter(|op| *op != Op::VerifyHot) {
        for name in backends.iter().map(|backend| Some(backend.name())).chain([None]) {
            assert!(measured.ns(op, name, 1).is_some_and(|ns| ns > 0.0), "{op} {name:?}");
        }
    }
    assert_eq!(measured.machine, Machine::here(&backends, &[]));
}
