//! The host twin: the CUDA kernels compiled as plain C++, one thread after another. A card for tests that have none.
//!
//! New buffers are full of poison, and end in words that nobody may write: kernels that read what was not written, or write
//! beyond a buffer, are found out.

use super::card::{Buffer, Card, CardInfo, Fault, Kernel, Lane, Launch, PARAMS};
use std::collections::HashMap;
use std::ops::Range;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

/// What new buffers hold.
const POISON: u32 = 0xdead_beef;
/// Words behind each buffer, and what they hold: more than one index too far jumps over.
const GUARD: usize = 1 << 16;
const GUARD_WORD: u32 = 0x6a6d_7a11;
/// Threads of a group: cards fill the last one.
const GROUP: usize = 128;
/// Buffers that a kernel sees.
const PLACES: usize = 8;

/// The words of a buffer, its guard behind them. As on a card, lanes that use the same words at the same time race.
type Memory = Arc<[AtomicU32]>;

/// A card that is none.
#[derive(Debug)]
pub(crate) struct Twin {
    info: CardInfo,
    buffers: Mutex<HashMap<u64, Memory>>,
    next: Mutex<u64>,
}

impl Twin {
    /// Always there.
    pub(crate) fn open() -> Arc<Self> {
        Self::with_launches_of(1 << 16)
    }

    /// With so many items a launch.
    pub(crate) fn with_launches_of(items_max: usize) -> Arc<Self> {
        let info = CardInfo {
            name: "host twin".into(),
            driver: "none".into(),
            place: None,
            kernels: "CUDA's, as C++".into(),
            memory_bytes: None,
            buffer_bytes_max: 1 << 30,
            items_max,
            steps_max: usize::MAX,
            software: true,
        };
        Arc::new(Self { info, buffers: Mutex::default(), next: Mutex::new(0) })
    }

    fn buffers(&self) -> MutexGuard<'_, HashMap<u64, Memory>> {
        self.buffers.lock().expect("no thread died with it")
    }

    /// The memory of a buffer, whose guard is whole.
    fn memory(&self, buffer: &Buffer) -> Memory {
        let memory = Arc::clone(self.buffers().get(&buffer.id()).expect("a buffer of this card"));
        let is_whole = memory[buffer.words()..].iter().all(|word| word.load(Ordering::Relaxed) == GUARD_WORD);
        assert!(is_whole, "a kernel wrote behind a buffer of {} words", buffer.words());
        memory
    }
}

impl Card for Twin {
    fn info(&self) -> &CardInfo {
        &self.info
    }

    fn allocate(&self, words: usize) -> Result<u64, Fault> {
        let mut next = self.next.lock().expect("no thread died with it");
        *next += 1;
        let filled = |word, count| (0..count).map(move |_| AtomicU32::new(word));
        self.buffers().insert(*next, filled(POISON, words).chain(filled(GUARD_WORD, GUARD)).collect());
        Ok(*next)
    }

    fn release(&self, id: u64) {
        // Buffers are also dropped while a test fails.
        if let Ok(mut buffers) = self.buffers.lock() {
            buffers.remove(&id);
        }
    }

    fn lane(self: Arc<Self>) -> Result<Box<dyn Lane>, Fault> {
        Ok(Box::new(TwinLane(self)))
    }
}

/// Does everything at once.
struct TwinLane(Arc<Twin>);

impl Lane for TwinLane {
    fn write(&mut self, to: &Buffer, at: usize, words: &[u32]) -> Result<(), Fault> {
        assert!(at + words.len() <= to.words(), "{} words at {at} of a buffer of {}", words.len(), to.words());
        for (place, word) in self.0.memory(to)[at..].iter().zip(words) {
            place.store(*word, Ordering::Relaxed);
        }
        Ok(())
    }

    fn launch(&mut self, launch: &Launch<'_>) -> Result<(), Fault> {
        assert!(launch.buffers.len() <= PLACES, "{} buffers", launch.buffers.len());
        let memories: Vec<Memory> = launch.buffers.iter().map(|buffer| self.0.memory(buffer)).collect();
        let mut args = Args { buffers: [std::ptr::null_mut(); PLACES], params: launch.params };
        for (place, memory) in args.buffers.iter_mut().zip(&memories) {
            *place = memory.as_ptr().cast::<u32>().cast_mut();
        }
        let threads = launch.threads.next_multiple_of(GROUP);
        let threads = u32::try_from(threads).expect("threads are counted in 32 bits");
        // SAFETY: `args` has the layout of the C++ struct and outlives the call, as `memories` do; their words may be changed
        // through shared references. The kernels stay inside them, and no two lanes write the same words at the same time, if
        // launches are as kernels/README.md says.
        unsafe { entry(launch.kernel)(&args, threads) };
        for buffer in launch.buffers {
            self.0.memory(buffer);
        }
        Ok(())
    }

    fn read(&mut self, from: &Buffer, words: Range<usize>, _limit: Duration) -> Result<Vec<u32>, Fault> {
        assert!(words.end <= from.words(), "words {words:?} of a buffer of {}", from.words());
        Ok(self.0.memory(from)[words].iter().map(|word| word.load(Ordering::Relaxed)).collect())
    }
}

/// `Args` of kernels/cuda/base.cuh.
#[repr(C)]
struct Args {
    buffers: [*mut u32; PLACES],
    params: [u32; PARAMS],
}

type Entry = unsafe extern "C" fn(args: *const Args, threads: u32);

fn entry(kernel: Kernel) -> Entry {
    match kernel {
        Kernel::SecpPrepare => secp_prepare_host,
        Kernel::InvertOrder => invert_order_host,
        Kernel::SecpSum => secp_sum_host,
        Kernel::SecpSumHot => secp_sum_hot_host,
        Kernel::InvertField => invert_field_host,
        Kernel::RecoverFinish => recover_finish_host,
        Kernel::KnownFinish => known_finish_host,
        Kernel::SignerFinish => signer_finish_host,
        Kernel::KeccakMessages => keccak_messages_host,
        Kernel::SignerSums => signer_sums_host,
        Kernel::Fp381 => fp381_host,
        Kernel::G1Gather => g1_gather_host,
        Kernel::G1Products => g1_products_host,
        Kernel::InvertFp381 => invert_fp381_host,
        Kernel::G1Sums => g1_sums_host,
        Kernel::ImadRate => imad_rate_host,
    }
}

unsafe extern "C" {
    fn secp_prepare_host(args: *const Args, threads: u32);
    fn invert_order_host(args: *const Args, threads: u32);
    fn secp_sum_host(args: *const Args, threads: u32);
    fn secp_sum_hot_host(args: *const Args, threads: u32);
    fn invert_field_host(args: *const Args, threads: u32);
    fn recover_finish_host(args: *const Args, threads: u32);
    fn known_finish_host(args: *const Args, threads: u32);
    fn signer_finish_host(args: *const Args, threads: u32);
    fn keccak_messages_host(args: *const Args, threads: u32);
    fn signer_sums_host(args: *const Args, threads: u32);
    fn fp381_host(args: *const Args, threads: u32);
    fn g1_gather_host(args: *const Args, threads: u32);
    fn g1_products_host(args: *const Args, threads: u32);
    fn invert_fp381_host(args: *const Args, threads: u32);
    fn g1_sums_host(args: *const Args, threads: u32);
    fn imad_rate_host(args: *const Args, threads: u32);
}

#[cfg(test)]
mod tests;
