//! Threads on cores, and their clocks.

use clap::ValueEnum;
use nix::sched::{CpuSet, sched_getaffinity, sched_setaffinity};
use nix::time::{ClockId, clock_gettime};
use nix::unistd::Pid;

/// The calling thread.
const THIS: Pid = Pid::from_raw(0);

/// The cores that this process may use (`taskset` narrows them).
pub(crate) fn cores() -> Vec<usize> {
    let set = sched_getaffinity(THIS).expect("Linux tells its cores");
    (0..CpuSet::count()).filter(|core| set.is_set(*core).unwrap_or(false)).collect()
}

/// Binds the calling thread to a core of [`cores`].
pub(crate) fn pin(core: usize) {
    let mut set = CpuSet::new();
    set.set(core).expect("a core of ours");
    sched_setaffinity(THIS, &set).expect("a core of ours");
}

/// What is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Clock {
    /// Processor time of the thread (`CLOCK_THREAD_CPUTIME_ID`): what others do on the machine disturbs it least.
    Cpu,
    /// Time on the wall (`CLOCK_MONOTONIC`).
    Wall,
}

impl Clock {
    /// As in the rows.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Cpu => "cpu",
            Self::Wall => "wall",
        }
    }

    /// Nanoseconds from some start.
    pub(crate) fn now_ns(self) -> f64 {
        let id = match self {
            Self::Cpu => ClockId::CLOCK_THREAD_CPUTIME_ID,
            Self::Wall => ClockId::CLOCK_MONOTONIC,
        };
        let time = clock_gettime(id).expect("Linux has this clock");
        time.tv_sec() as f64 * 1e9 + time.tv_nsec() as f64
    }
}
