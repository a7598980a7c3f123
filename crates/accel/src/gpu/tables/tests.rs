use super::*;
use crate::ops::PublicKey;

/// Tables of nobody's multiples: here only who they are matters.
fn combs(count: usize) -> Vec<Comb> {
    let points = vec![crate::field::Packed([0; 8]); Comb::BYTES / 64];
    (0..count).map(|n| Comb::new(PublicKey([n as u8; 64]), points.clone())).collect()
}

fn shared(count: usize) -> Shared {
    Arc::new(Mutex::new(Tables::new(count)))
}

fn load(tables: &Shared, combs: &[Comb]) -> usize {
    Upload::of(tables, combs).map_or(0, |upload| {
        let count = upload.count();
        upload.arrived();
        count
    })
}

fn there(tables: &Shared, combs: &[Comb]) -> Vec<bool> {
    Loan::of(tables, combs).places.iter().map(Option::is_some).collect()
}

#[test]
fn a_table_is_there_once_it_was_copied() {
    let (tables, combs) = (shared(4), combs(2));
    assert_eq!(there(&tables, &combs), [false; 2]);
    let upload = Upload::of(&tables, &combs).expect("there is room");
    let places: Vec<u32> = upload.words().map(|(place, _)| place).collect();
    assert!(upload.count() == 2 && !places.contains(&0), "the canaries' place is not given away: {places:?}");
    assert_eq!(there(&tables, &combs), [false; 2], "on its way");
    assert!(Upload::of(&tables, &combs).is_none(), "once");
    upload.arrived();
    let loan = Loan::of(&tables, &[combs[1].clone(), combs[0].clone(), combs[1].clone()]);
    assert_eq!(loan.places, [Some(places[1]), Some(places[0]), Some(places[1])]);
}

#[test]
fn what_could_not_be_copied_is_not_there_and_leaves_its_place() {
    let (tables, combs) = (shared(2), combs(2));
    drop(Upload::of(&tables, &combs[..1]));
    assert_eq!(there(&tables, &combs), [false; 2]);
    assert_eq!(load(&tables, &combs[1..]), 1);
    assert_eq!(there(&tables, &combs), [false, true]);
}

#[test]
fn who_is_used_stays() {
    let (tables, mut combs) = (shared(3), combs(4));
    assert_eq!(load(&tables, &combs[..2]), 2);
    let loan = Loan::of(&tables, &combs[..1]);
    (0..2 * STAYS).for_each(|_| drop(Loan::of(&tables, &combs[2..])));
    assert_eq!(load(&tables, &combs[2..]), 1, "one place: the other is lent");
    assert_eq!(there(&tables, &combs), [true, false, true, false]);
    drop(loan);
    (0..STAYS).for_each(|_| assert_eq!(load(&tables, &combs[3..]), 0, "not yet: {:?}", there(&tables, &combs[..1])));
    (0..=STAYS).for_each(|_| drop(Loan::of(&tables, &combs[2..3])));
    assert_eq!(load(&tables, &combs[3..]), 1, "used longest ago");
    assert_eq!(there(&tables, &combs), [false, false, true, true]);
    combs.remove(2);
    assert_eq!(load(&tables, &combs[..1]), 1, "the CPU's cache has dropped one");
    assert_eq!(there(&tables, &combs), [true, false, true]);
}

#[test]
fn what_is_forgotten_while_it_is_copied_does_not_come() {
    let (tables, combs) = (shared(2), combs(2));
    let upload = Upload::of(&tables, &combs).expect("there is room");
    lock(&tables).forget();
    assert!(Upload::of(&tables, &combs).is_none(), "its place is still written to");
    upload.arrived();
    assert_eq!(there(&tables, &combs), [false; 2]);
    assert_eq!(load(&tables, &combs), 1);
    let loan = Loan::of(&tables, &combs);
    lock(&tables).forget();
    assert_eq!(load(&tables, &combs), 0, "a batch reads it");
    drop(loan);
    assert_eq!(load(&tables, &combs), 1);
}

#[test]
fn not_all_are_copied_at_once() {
    let (tables, combs) = (shared(200), combs(100));
    let copied: Vec<usize> = (0..8).map(|_| load(&tables, &combs)).collect();
    assert_eq!(copied, [UPLOADS, UPLOADS, UPLOADS, UPLOADS, UPLOADS, UPLOADS, 100 - 6 * UPLOADS, 0]);
}
