//! Alternating rounds: every side works on the same items in turn, so that a machine that slows down slows all of them.

use super::pin::{Clock, pin};
use super::plan::{Callers, Plan};
use super::side::{Side, Workload};
use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// One side on one workload with one size of batch.
pub(crate) struct Measured {
    pub(crate) case: &'static str,
    pub(crate) n: usize,
    pub(crate) side: &'static str,
    pub(crate) is_peer: bool,
    /// Nanoseconds an item, one figure a round.
    pub(crate) rounds: Vec<f64>,
}

/// An answer was not what it must be.
#[derive(Debug, thiserror::Error)]
#[error("{side} gave a wrong answer: case {case}, batches of {n}, item {item}, seed {seed}")]
pub(crate) struct WrongAnswer {
    side: &'static str,
    case: &'static str,
    n: usize,
    item: usize,
    seed: u64,
}

/// Makes an operation's workloads from a plan and a seed, and hands them to the last argument.
pub(crate) type WithWorkloads = fn(&Plan, u64, &mut dyn FnMut(&mut [Workload<'_>]));

/// Measures batches of `sizes` on the threads of `callers`, each with items of its own. Nanoseconds an item are those of all
/// threads together.
///
/// # Errors
/// [`WrongAnswer`], the first.
pub(crate) fn measure(
    plan: &Plan,
    sizes: &[usize],
    callers: &Callers,
    with: WithWorkloads,
) -> Result<Vec<Measured>, WrongAnswer> {
    let together = Together { barrier: Barrier::new(callers.count()), failed: AtomicBool::new(false) };
    let thread = |index: usize| {
        callers.core(index).into_iter().for_each(pin);
        let seed = plan.seed + index as u64;
        let mut result = Ok(Vec::new());
        with(plan, seed, &mut |workloads| result = rounds(plan, sizes, seed, workloads, &together));
        result
    };
    let results = std::thread::scope(|scope| {
        let handles: Vec<_> = (0..callers.count()).map(|index| scope.spawn(move || thread(index))).collect();
        handles.into_iter().map(|h| h.join().expect("a thread of ours")).collect::<Result<Vec<_>, _>>()
    })?;
    Ok(results.into_iter().reduce(add).unwrap_or_default())
}

/// What the threads of one measurement share.
struct Together {
    barrier: Barrier,
    failed: AtomicBool,
}

fn rounds(
    plan: &Plan,
    sizes: &[usize],
    seed: u64,
    workloads: &mut [Workload<'_>],
    together: &Together,
) -> Result<Vec<Measured>, WrongAnswer> {
    let mut all = Vec::new();
    let mut wrong = None;
    // The last batch size, and how long a round of all sides took.
    let mut before = (1, Duration::ZERO);
    for &n in sizes {
        if plan.leaves_out(n, before) {
            eprintln!("  batches of {n} and more are left out: they would take too long");
            break;
        }
        if together.barrier.wait().is_leader() {
            eprintln!("  batches of {n}");
        }
        if together.failed.load(Ordering::SeqCst) {
            break;
        }
        let mut measured = blank(workloads, n);
        let (mut round, mut last, begun) = (0, plan.rounds(n), Instant::now());
        while round <= last {
            let sides = workloads.iter_mut().flat_map(sides);
            for ((case, items, side), into) in sides.zip(&mut measured) {
                together.barrier.wait();
                let outcome = one_round(plan.clock, side, items.max(n) / n * n, n, round);
                match outcome {
                    Ok(_warming_up) if round == 0 => {}
                    Ok(ns) => into.rounds.push(ns),
                    Err(item) => wrong = wrong.or(Some(WrongAnswer { side: side.name, case, n, item, seed })),
                }
            }
            if round == 0 {
                before = (n, begun.elapsed());
                last = plan.rounds_after(n, before.1);
            }
            round += 1;
        }
        together.failed.fetch_or(wrong.is_some(), Ordering::SeqCst);
        all.append(&mut measured);
    }
    wrong.map_or(Ok(all), Err)
}

fn sides<'w, 'a>(w: &'w mut Workload<'a>) -> impl Iterator<Item = (&'static str, usize, &'w mut Side<'a>)> {
    let (case, items) = (w.case, w.round_items);
    w.sides.iter_mut().map(move |side| (case, items, side))
}

fn blank(workloads: &mut [Workload<'_>], n: usize) -> Vec<Measured> {
    let all = workloads.iter_mut().flat_map(sides);
    all.map(|(case, _, s)| Measured { case, n, side: s.name, is_peer: s.is_peer, rounds: Vec::new() }).collect()
}

/// Nanoseconds an item over `items` items in batches of `n`, or the item whose answer is wrong.
fn one_round(clock: Clock, side: &mut Side<'_>, items: usize, n: usize, round: usize) -> Result<f64, usize> {
    let count = items.min(side.window);
    let first = round % (items / count) * count;
    side.task.clear(first..first + count);
    let start = clock.now_ns();
    let mut at = first;
    while at < first + count {
        let end = (at + n).min(first + count);
        side.task.run(at..end);
        at = end;
    }
    let ns = clock.now_ns() - start;
    side.task.wrong(first..first + count).map_or(Ok(side.times * ns / count as f64), Err)
}

/// Two threads side by side: what they do in a second adds up.
fn add(a: Vec<Measured>, b: Vec<Measured>) -> Vec<Measured> {
    let both = |x: Measured, y: Measured| {
        let rounds = x.rounds.iter().zip(&y.rounds).map(|(p, q)| 1.0 / (1.0 / p + 1.0 / q)).collect();
        Measured { rounds, ..x }
    };
    a.into_iter().zip(b).map(|(x, y)| both(x, y)).collect()
}

#[cfg(test)]
mod tests {
    use super::super::pin::cores;
    use super::super::side::Answers;
    use super::*;

    const SIZES: [usize; 3] = [1, 4, 64];

    fn plan() -> Plan {
        Plan::for_tests(SIZES.to_vec(), 5, 7)
    }

    /// Answers with the place of each item; the liar gives another answer about item 37.
    fn side<'a>(is_peer: bool, window: usize, lie: bool) -> Side<'a> {
        let work = move |batch: std::ops::Range<usize>, answers: &mut Vec<usize>| {
            answers.extend(batch.map(|item| if lie && item == 37 { 0 } else { item }));
        };
        let task = Answers::new(work, |item, answer: &usize| *answer == item);
        if is_peer { Side::peer("peer", window, task) } else { Side::ours("portable", task) }
    }

    fn honest(_: &Plan, _: u64, body: &mut dyn FnMut(&mut [Workload<'_>])) {
        let sides = vec![side(false, usize::MAX, false), side(true, 16, false)];
        let alone = vec![side(false, usize::MAX, false)];
        body(&mut [
            Workload { case: "all", round_items: 32, sides },
            Workload { case: "alone", round_items: 32, sides: alone },
        ]);
    }

    fn lying(_: &Plan, _: u64, body: &mut dyn FnMut(&mut [Workload<'_>])) {
        let sides = vec![side(false, usize::MAX, false), side(true, 16, true)];
        body(&mut [Workload { case: "all", round_items: 32, sides }]);
    }

    #[test]
    fn every_side_has_a_figure_a_round() {
        let callers = Callers::Pinned(vec![cores()[0]; 2]);
        let measured = measure(&plan(), &SIZES, &callers, honest).expect("right answers");
        let brief: Vec<_> = measured.iter().map(|m| (m.case, m.n, m.is_peer, m.rounds.len())).collect();
        let all = |n| [("all", n, false, 5), ("all", n, true, 5), ("alone", n, false, 5)];
        assert_eq!(brief, [1, 4, 64].map(all).concat());
    }

    /// Item 37 is in the third window of the peer, so only the rounds of 64 items meet it, and not the first of them.
    #[test]
    fn a_wrong_answer_ends_the_run_on_every_thread() {
        let callers = Callers::Pinned(vec![cores()[0]; 2]);
        let error = measure(&plan(), &SIZES, &callers, lying).err().expect("a wrong answer").to_string();
        assert_eq!(error, "peer gave a wrong answer: case all, batches of 64, item 37, seed 7");
    }

    #[test]
    fn a_missing_answer_is_wrong() {
        let task = Answers::new(|_: std::ops::Range<usize>, _: &mut Vec<usize>| {}, |_, _: &usize| true);
        let mut silent = Side::ours("portable", task);
        assert_eq!(one_round(Clock::Wall, &mut silent, 8, 2, 0), Err(0));
    }
}
