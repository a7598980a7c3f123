//! A card: its buffers, its kernels, its trouble.

use super::compile::Target;
use super::driver::{Handle, answered, call, failed};
use super::kernels::Kernels;
use super::lane::CudaLane;
use super::rooms::Rooms;
use crate::gpu::card::{Card, CardInfo, Fault, Lane};
use crate::gpu::post::FAREWELL;
use cudarc::driver::result::{self, DriverError};
use cudarc::driver::sys::{CUcontext, CUdevice, CUresult};
use std::sync::{Arc, OnceLock, mpsc};

/// A card behind the CUDA driver.
#[derive(Debug)]
pub(crate) struct Cuda {
    info: CardInfo,
    target: Target,
    device: CUdevice,
    context: Handle<CUcontext>,
    pub(super) rooms: Rooms,
    /// Built with the first lane; and what the card is called from then on.
    kernels: OnceLock<Result<(Arc<Kernels>, CardInfo), Fault>>,
    /// The first error. Most stay with the context, so that nothing is asked of the card after it.
    trouble: OnceLock<Fault>,
}

impl Cuda {
    pub(super) fn new(info: CardInfo, target: Target, device: CUdevice, context: Handle<CUcontext>) -> Self {
        let (rooms, kernels, trouble) = (Rooms::default(), OnceLock::new(), OnceLock::new());
        Self { info, target, device, context, rooms, kernels, trouble }
    }

    /// Makes the card that of this thread.
    ///
    /// # Errors
    /// The driver's, and those before.
    pub(super) fn enter(&self) -> Result<(), Fault> {
        self.trouble.get().cloned().map_or(Ok(()), Err)?;
        // SAFETY: the context lives as long as the card.
        self.call("cuCtxSetCurrent", || unsafe { result::ctx::set_current(self.context.0) })
    }

    /// A call; its error is the card's trouble.
    pub(super) fn call<T>(&self, what: &str, ask: impl FnOnce() -> Result<T, DriverError>) -> Result<T, Fault> {
        call(what, ask).map_err(|fault| self.note(fault))
    }

    /// A call that takes memory: that there is none is no trouble.
    pub(super) fn take<T>(
        &self,
        what: &str,
        bytes: usize,
        ask: impl FnOnce() -> Result<T, DriverError>,
    ) -> Result<T, Fault> {
        match answered(what, ask) {
            Ok(Ok(memory)) => Ok(memory),
            Ok(Err(CUresult::CUDA_ERROR_OUT_OF_MEMORY)) => Err(Fault::OutOfMemory { bytes }),
            Ok(Err(code)) => Err(self.note(failed(what, code))),
            Err(fault) => Err(self.note(fault)),
        }
    }

    /// Keeps a fault as the card's trouble.
    pub(super) fn note(&self, fault: Fault) -> Fault {
        // The first is the cause of the others.
        let _ = self.trouble.set(fault.clone());
        fault
    }

    /// Whether something failed.
    pub(super) fn is_in_trouble(&self) -> bool {
        self.trouble.get().is_some()
    }

    /// The kernels; builds them if nobody did. The card is this thread's.
    pub(super) fn kernels(&self) -> Result<&Arc<Kernels>, Fault> {
        let built = self.kernels.get_or_init(|| {
            let kernels = Kernels::build(&self.target)?;
            let info = CardInfo { kernels: kernels.origin.clone(), ..self.info.clone() };
            Ok((Arc::new(kernels), info))
        });
        built.as_ref().map(|(kernels, _)| kernels).map_err(Clone::clone)
    }

    /// Frees what was released and is not used.
    fn sweep(&self) -> Result<(), Fault> {
        // SAFETY: the addresses came from `cuMemAlloc`, and no work on them is under way.
        self.rooms.unused().into_iter().try_for_each(|at| self.call("cuMemFree", || unsafe { result::free_sync(at) }))
    }
}

impl Card for Cuda {
    fn info(&self) -> &CardInfo {
        self.kernels.get().and_then(|built| built.as_ref().ok()).map_or(&self.info, |(_, info)| info)
    }

    fn allocate(&self, words: usize) -> Result<u64, Fault> {
        self.enter()?;
        self.sweep()?;
        // No buffer may be empty.
        let bytes = words.max(1).saturating_mul(4);
        // SAFETY: nothing is done with the memory here.
        let at = self.take("cuMemAlloc", bytes, || unsafe { result::malloc_sync(bytes) })?;
        Ok(self.rooms.add(at))
    }

    fn release(&self, id: u64) {
        // Freed when something is allocated: this may be any thread, and a call may hang.
        self.rooms.release(id);
    }

    fn lane(self: Arc<Self>) -> Result<Box<dyn Lane>, Fault> {
        self.enter()?;
        self.kernels()?;
        Ok(Box::new(CudaLane::new(self)?))
    }
}

/// Gives all back, unless there was trouble: on a thread of its own, which is not waited for for long.
impl Drop for Cuda {
    fn drop(&mut self) {
        if self.is_in_trouble() {
            return;
        }
        let (context, device, rooms) = (self.context, self.device, self.rooms.unused());
        let kernels = self.kernels.take().and_then(Result::ok).map(|(kernels, _)| kernels);
        let (done, ended) = mpsc::channel::<()>();
        let close = move || {
            let (context, _done) = (context, done);
            // SAFETY: no lane and no buffer is left, each has its share of the card. Whatever fails is given back when the
            // process ends.
            let _ = call("closing", || unsafe {
                result::ctx::set_current(context.0)?;
                rooms.into_iter().try_for_each(|at| result::free_sync(at))?;
                kernels.iter().try_for_each(|kernels| kernels.unload())?;
                result::primary_ctx::release(device)
            });
        };
        // A process that ends meanwhile may crash in the driver. Without a thread all stays until it ends.
        if std::thread::Builder::new().name("gpu-close".to_owned()).spawn(close).is_ok() {
            let _closed_or_late = ended.recv_timeout(FAREWELL);
        }
    }
}
