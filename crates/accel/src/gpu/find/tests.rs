use super::*;
use std::sync::Condvar;

/// Waits until the number is `enough`; whether it became that in time.
fn reaches(number: &(Mutex<usize>, Condvar), enough: usize) -> bool {
    let (now, changed) = number;
    let now = now.lock().expect("nobody died with it");
    !changed.wait_timeout_while(now, Duration::from_secs(60), |now| *now < enough).expect("nobody died").1.timed_out()
}

fn add_one(number: &(Mutex<usize>, Condvar)) {
    *number.0.lock().expect("nobody died with it") += 1;
    number.1.notify_all();
}

#[test]
fn all_are_worked_on_at_the_same_time_and_stay_in_order() {
    const CARDS: usize = 8;
    let [begun, ended] = [(); 2].map(|()| (Mutex::new(0), Condvar::new()));
    let work = |card: usize| {
        add_one(&begun);
        // All have begun, and end the last one first.
        let is_in_time = reaches(&begun, CARDS) && reaches(&ended, CARDS - 1 - card);
        add_one(&ended);
        (card, is_in_time)
    };
    let done = at_once((0..CARDS).collect(), work);
    assert_eq!(done, (0..CARDS).map(|card| (card, true)).collect::<Vec<_>>());
    assert_eq!(at_once(Vec::new(), work), []);
    assert_eq!(at_once(vec!["one"], str::len), [3]);
}

#[test]
fn what_is_found_keeps_its_number_and_says_why_it_is_not_used() {
    let missing = |what: &str| Fault::Missing(what.to_owned());
    let all = found(BackendName::Wgpu, || vec![Err(Fault::Missing("a".into())), Err(Fault::Missing("b".into()))]);
    let told: Vec<_> = all.iter().map(|found| (found.number, found.card.as_ref().err().cloned())).collect();
    assert_eq!(told, [(0, Some(missing("a"))), (1, Some(missing("b")))]);
    // As if a driver had panicked.
    let all = found(BackendName::Cuda, || panic!("in a driver"));
    assert!(matches!(all.as_slice(), [Found { number: 0, card: Err(Fault::Driver(_)), .. }]), "{all:?}");
}
