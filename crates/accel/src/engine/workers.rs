//! The threads of an engine: started once, one a physical core, each then kept on its core.

use rayon_core::{ThreadPool, ThreadPoolBuilder};
use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};
use std::thread::JoinHandle;

/// Items of a piece are a multiple of this: the widest backend's vectors are full.
const PIECE_MULTIPLE: usize = 16;
/// Most items of one piece, so that a small batch never waits long behind a large one.
pub(crate) const PIECE_MAX: usize = 4_096;

/// Worker threads. They end, and are waited for, when this is dropped.
#[derive(Debug)]
pub(crate) struct Workers {
    pool: Option<ThreadPool>,
    threads: Vec<JoinHandle<()>>,
    count: usize,
}

impl Workers {
    /// Starts `count` threads; 0: one for each physical core that this process may use.
    ///
    /// # Errors
    /// The operating system gives no thread.
    pub(crate) fn start(count: usize, pin: bool) -> std::io::Result<Self> {
        let cores = physical_cores();
        let count = if count == 0 { usual_count(&cores) } else { count };
        let places = if pin && fill(count, &cores) { cores } else { Vec::new() };
        let threads = Mutex::new(Vec::with_capacity(count));
        let lock = || threads.lock().unwrap_or_else(PoisonError::into_inner);
        let started = ThreadPoolBuilder::new().num_threads(count).spawn_handler(|thread| {
            let place = places.get(thread.index()).copied();
            let name = format!("accel-{}", thread.index());
            let work = move || {
                if let Some(core) = place {
                    let _unpinned_is_fine = core_affinity::set_for_current(core_affinity::CoreId { id: core });
                }
                thread.run();
            };
            lock().push(std::thread::Builder::new().name(name).spawn(work)?);
            Ok(())
        });
        let pool = started.build().map_err(std::io::Error::other)?;
        let threads = threads.into_inner().unwrap_or_else(PoisonError::into_inner);
        Ok(Self { pool: Some(pool), threads, count })
    }

    /// How many.
    pub(crate) fn count(&self) -> usize {
        self.count
    }

    /// Whether the calling thread is one of them: a caller's work around the engine's operations.
    pub(crate) fn is_inside(&self) -> bool {
        self.pool.as_ref().is_some_and(|pool| pool.current_thread_index().is_some())
    }

    /// `work` on each item, on all threads at once; the answers in order. What [`Workers::spread`] says of threads and panics
    /// holds.
    pub(crate) fn each<T: Send, R: Send>(&self, items: Vec<T>, work: impl Fn(T) -> R + Sync) -> Vec<R> {
        let pool = match &self.pool {
            Some(pool) if self.count > 1 && items.len() > 1 && !self.is_inside() => pool,
            _ => return items.into_iter().map(work).collect(),
        };
        let mut answers: Vec<Option<R>> = items.iter().map(|_| None).collect();
        let work = &work;
        pool.in_place_scope(|scope| {
            for (item, answer) in items.into_iter().zip(&mut answers) {
                scope.spawn(move |_| *answer = Some(work(item)));
            }
        });
        answers.into_iter().map(|answer| answer.expect("all have ended")).collect()
    }

    /// `work` on pieces of `items`, on all threads at once; the answers in the order of the items. Few items (no two
    /// pieces of `least`) stay on the calling thread, and so does all of it where there is only one worker, and work
    /// inside of work: the others have pieces of their own.
    ///
    /// A panic of `work` is the caller's, after all pieces have ended.
    pub(crate) fn spread<T, R>(&self, items: &[T], least: usize, work: impl Fn(&[T]) -> Vec<R> + Sync) -> Vec<R>
    where
        T: Sync,
        R: Send,
    {
        let piece = piece_len(items.len(), self.count, least);
        if self.count <= 1 || piece >= items.len() || self.is_inside() {
            return work(items);
        }
        let mut all = Vec::with_capacity(items.len());
        let answers = self.each(items.chunks(piece).collect(), work);
        answers.into_iter().for_each(|mut answer| all.append(&mut answer));
        all
    }
}

impl Drop for Workers {
    fn drop(&mut self) {
        drop(self.pool.take()); // tells the threads to end
        for thread in self.threads.drain(..) {
            let _panics_are_the_callers = thread.join();
        }
    }
}

/// Equal shares for all threads, but no piece below `least` or above [`PIECE_MAX`].
fn piece_len(items: usize, threads: usize, least: usize) -> usize {
    let share = items.div_ceil(threads.max(1)).next_multiple_of(PIECE_MULTIPLE);
    share.max(least).min(PIECE_MAX)
}

/// One thread a physical core, but no more than this process may run at once (a container may have less time than cores).
pub(crate) fn usual_count(cores: &[usize]) -> usize {
    let parallelism = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    cores.len().min(parallelism).max(1)
}

/// Whether there is one thread for each core. Fewer that were kept on the first cores would meet those of other processes
/// there, and more have no core of their own.
pub(crate) fn fill(count: usize, cores: &[usize]) -> bool {
    count == cores.len()
}

/// One hardware thread of each physical core that this process may run on, ascending. Empty if the system does not tell.
pub(crate) fn physical_cores() -> Vec<usize> {
    let allowed: BTreeSet<usize> = core_affinity::get_core_ids().unwrap_or_default().iter().map(|c| c.id).collect();
    let first_of = |id: &usize| {
        let path = format!("/sys/devices/system/cpu/cpu{id}/topology/thread_siblings_list");
        let siblings = std::fs::read_to_string(path).map(|list| ids(&list)).unwrap_or_default();
        siblings.into_iter().find(|sibling| allowed.contains(sibling)).unwrap_or(*id)
    };
    let firsts: BTreeSet<usize> = allowed.iter().map(first_of).collect();
    firsts.into_iter().collect()
}

/// Numbers of a list like `0-2,8`, ascending as written.
fn ids(list: &str) -> Vec<usize> {
    let range = |part: &str| {
        let (from, to) = part.split_once('-').unwrap_or((part, part));
        Some(from.trim().parse::<usize>().ok()?..=to.trim().parse::<usize>().ok()?)
    };
    list.trim().split(',').filter_map(range).flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_item_is_worked_on_once_and_in_order() {
        let workers = Workers::start(3, false).expect("threads");
        for count in [0, 1, 15, 16, 17, 100, 5_000, 20_000] {
            let items: Vec<usize> = (0..count).collect();
            let doubled = workers.spread(&items, 16, |piece| piece.iter().map(|n| n * 2).collect());
            assert_eq!(doubled, items.iter().map(|n| n * 2).collect::<Vec<_>>(), "{count} items");
        }
    }

    #[test]
    fn each_item_is_worked_on_once_and_in_order() {
        for threads in [1, 3] {
            let workers = Workers::start(threads, false).expect("threads");
            for count in [0, 1, 2, 50] {
                let items: Vec<String> = (0..count).map(|n| n.to_string()).collect();
                assert_eq!(workers.each(items.clone(), |item| item), items);
            }
            assert!(!workers.is_inside());
            assert_eq!(workers.each(vec![(), ()], |()| workers.is_inside()), vec![threads > 1; 2]);
        }
    }

    #[test]
    fn work_inside_work_ends() {
        let workers = Workers::start(2, true).expect("threads");
        let items: Vec<usize> = (0..1_000).collect();
        let sums = workers.spread(&items, 16, |outer| {
            let inner = workers.spread(outer, 16, |piece| piece.to_vec());
            vec![inner.iter().sum::<usize>()]
        });
        assert_eq!(sums.iter().sum::<usize>(), 499_500);
    }

    #[test]
    fn a_panic_is_the_callers_and_the_threads_live_on() {
        let workers = Workers::start(2, false).expect("threads");
        let items = vec![1u8; 64];
        let bad = |piece: &[u8]| -> Vec<u8> { panic!("{} items", piece.len()) };
        let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| workers.spread(&items, 16, bad)));
        assert!(panicked.is_err());
        assert_eq!(workers.spread(&items, 16, <[u8]>::to_vec), items);
    }

    #[test]
    fn threads_are_pinned_if_they_fill_the_cores() {
        let cores = physical_cores().len();
        let allowed = || core_affinity::get_core_ids().map(|ids| ids.len());
        for count in 1..=cores + 1 {
            let workers = Workers::start(count, true).expect("threads");
            let of_each = workers.pool.as_ref().expect("it runs").broadcast(|_| allowed());
            let want = if count == cores { Some(1) } else { allowed() };
            assert_eq!(of_each, vec![want; count], "{count} threads, {cores} cores");
        }
    }

    #[test]
    fn pieces_are_neither_tiny_nor_huge() {
        assert_eq!(piece_len(100, 4, 128), 128);
        assert_eq!(piece_len(1_000, 4, 128), 256);
        assert_eq!(piece_len(1_000_000, 4, 128), PIECE_MAX);
        assert_eq!(piece_len(5, 0, 1), 16);
    }

    #[test]
    fn lists_of_processors_are_read() {
        assert_eq!(ids("0-2,8\n"), [0, 1, 2, 8]);
        assert_eq!(ids("5"), [5]);
        assert_eq!(ids(""), [0; 0]);
        let cores = physical_cores();
        assert!(cores.windows(2).all(|pair| pair[0] < pair[1]), "{cores:?}");
    }
}
