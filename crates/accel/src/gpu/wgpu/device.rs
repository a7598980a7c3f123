//! A device: its buffers, its kernels, its trouble.

use super::lane::WgpuLane;
use super::pipelines::Pipelines;
use crate::gpu::card::{Card, CardInfo, Fault, Lane};
use std::any::Any;
use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use wgpu::{BufferDescriptor, BufferUsages, Device, ErrorFilter, Queue};

/// A card behind wgpu.
#[derive(Debug)]
pub(crate) struct Wgpu {
    pub(super) info: CardInfo,
    pub(super) device: Device,
    pub(super) queue: Queue,
    pub(super) pipelines: Pipelines,
    pub(super) trouble: Trouble,
    buffers: Mutex<HashMap<u64, wgpu::Buffer>>,
    hearing: Mutex<()>,
    next: AtomicU64,
}

impl Wgpu {
    pub(super) fn new(info: CardInfo, device: Device, queue: Queue, pipelines: Pipelines) -> Self {
        let trouble = Trouble::watch(&device);
        let (buffers, hearing) = (Mutex::default(), Mutex::default());
        Self { info, device, queue, pipelines, trouble, buffers, hearing, next: AtomicU64::new(1) }
    }

    /// The buffer that [`Card::allocate`] called so.
    pub(super) fn buffer(&self, id: u64) -> Result<wgpu::Buffer, Fault> {
        let buffers = self.buffers.lock().unwrap_or_else(PoisonError::into_inner);
        buffers.get(&id).cloned().ok_or_else(|| Fault::Driver(format!("no buffer {id}")))
    }

    /// Makes a buffer; `bytes` is a multiple of 4.
    pub(super) fn make(&self, bytes: u64, usage: BufferUsages, mapped: bool) -> Result<wgpu::Buffer, Fault> {
        let descriptor = BufferDescriptor { label: None, size: bytes, usage, mapped_at_creation: mapped };
        self.heard(|device| device.create_buffer(&descriptor)).map_err(|error| match error {
            wgpu::Error::OutOfMemory { .. } => Fault::OutOfMemory { bytes: bytes as usize },
            error => Fault::Driver(error.to_string()),
        })
    }

    /// A call, or its error. Scopes of errors are the whole device's here (`wgpu` has no feature `std`), so that only one may
    /// be open.
    pub(super) fn heard<T>(&self, call: impl FnOnce(&Device) -> T) -> Result<T, wgpu::Error> {
        let _alone = self.hearing.lock().unwrap_or_else(PoisonError::into_inner);
        // Closed in the reverse order, also if the call panics.
        let internal = self.device.push_error_scope(ErrorFilter::Internal);
        let full = self.device.push_error_scope(ErrorFilter::OutOfMemory);
        let invalid = self.device.push_error_scope(ErrorFilter::Validation);
        let result = call(&self.device);
        let invalid = pollster::block_on(invalid.pop());
        let full = pollster::block_on(full.pop());
        let internal = pollster::block_on(internal.pop());
        full.or(invalid).or(internal).map_or(Ok(result), Err)
    }
}

impl Card for Wgpu {
    fn info(&self) -> &CardInfo {
        &self.info
    }

    fn allocate(&self, words: usize) -> Result<u64, Fault> {
        self.trouble.check()?;
        let usage = BufferUsages::STORAGE | BufferUsages::COPY_DST | BufferUsages::COPY_SRC;
        // No buffer may be empty.
        let buffer = guarded(|| self.make(words.max(1) as u64 * 4, usage, false))?;
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        self.buffers.lock().unwrap_or_else(PoisonError::into_inner).insert(id, buffer);
        Ok(id)
    }

    fn release(&self, id: u64) {
        // Not destroyed, which would wait for the reads of other lanes: wgpu does it when nothing uses the buffer.
        let buffer = self.buffers.lock().unwrap_or_else(PoisonError::into_inner).remove(&id);
        // A panic has nobody to be told to.
        let _ = guarded(|| {
            drop(buffer);
            Ok(())
        });
    }

    fn lane(self: Arc<Self>) -> Result<Box<dyn Lane>, Fault> {
        self.trouble.check()?;
        let lane = guarded(|| WgpuLane::new(self))?;
        Ok(Box::new(lane))
    }
}

/// The first error of a device that no call was there to hear of.
#[derive(Clone, Debug, Default)]
pub(super) struct Trouble(Arc<OnceLock<String>>);

impl Trouble {
    /// Listens to the device.
    fn watch(device: &Device) -> Self {
        let trouble = Self::default();
        let (heard, lost) = (trouble.clone(), trouble.clone());
        device.on_uncaptured_error(Arc::new(move |error| heard.note(error.to_string())));
        device.set_device_lost_callback(move |reason, message| lost.note(format!("device lost: {reason:?} {message}")));
        trouble
    }

    fn note(&self, what: String) {
        // The first is the cause of the others.
        let _ = self.0.set(what);
    }

    /// Fails if there was an error.
    pub(super) fn check(&self) -> Result<(), Fault> {
        self.0.get().map_or(Ok(()), |what| Err(Fault::Driver(what.clone())))
    }
}

/// Runs a call into wgpu; if it panics, that is a fault of the driver.
pub(super) fn guarded<T>(call: impl FnOnce() -> Result<T, Fault>) -> Result<T, Fault> {
    catch_unwind(AssertUnwindSafe(call)).unwrap_or_else(|panic| Err(Fault::Driver(message(&*panic))))
}

fn message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied());
    format!("wgpu panicked: {}", text.unwrap_or("it does not say why"))
}
