//! Calls to the driver.

use crate::gpu::card::Fault;
use cudarc::driver::result::DriverError;
use cudarc::driver::sys::{self, CUresult};
use std::ffi::CStr;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// What is called, by its name in the library: `cudarc` panics at the first call of what is not there.
const CALLS: [&str; 28] = [
    "cuInit",
    "cuDriverGetVersion",
    "cuGetErrorName",
    "cuDeviceGetCount",
    "cuDeviceGet",
    "cuDeviceGetName",
    "cuDeviceGetAttribute",
    "cuDeviceTotalMem_v2",
    "cuDevicePrimaryCtxRetain",
    "cuDevicePrimaryCtxRelease_v2",
    "cuCtxSetCurrent",
    "cuMemGetInfo_v2",
    "cuMemAlloc_v2",
    "cuMemFree_v2",
    "cuMemHostAlloc",
    "cuMemFreeHost",
    "cuMemcpyHtoDAsync_v2",
    "cuMemcpyDtoHAsync_v2",
    "cuModuleLoadData",
    "cuModuleGetFunction",
    "cuModuleUnload",
    "cuLaunchKernel",
    "cuStreamCreate",
    "cuStreamDestroy_v2",
    "cuEventCreate",
    "cuEventRecord",
    "cuEventQuery",
    "cuEventDestroy_v2",
];

/// Loads the library, once.
///
/// # Errors
/// [`Fault::Missing`] if it is not there or lacks something.
pub(super) fn load() -> Result<(), Fault> {
    // SAFETY: runs the initialisers of NVIDIA's library, as every program with CUDA does.
    if !guarded("libcuda", || unsafe { sys::is_culib_present() })? {
        return Err(Fault::Missing("no CUDA driver: libcuda is not there or cannot be loaded".to_owned()));
    }
    // SAFETY: as above.
    let library = guarded("libcuda", || unsafe { sys::culib() })?;
    for call in CALLS {
        // SAFETY: the symbol is looked for, not used.
        if unsafe { library.get::<unsafe extern "C" fn()>(call.as_bytes()) }.is_err() {
            return Err(Fault::Missing(format!("the CUDA driver has no {call}: it is too old, or damaged")));
        }
    }
    Ok(())
}

/// A call, or what is wrong with the driver.
///
/// # Errors
/// [`Fault::Driver`].
pub(super) fn call<T>(what: &str, call: impl FnOnce() -> Result<T, DriverError>) -> Result<T, Fault> {
    answered(what, call)?.map_err(|code| failed(what, code))
}

/// A call with its own answer.
///
/// # Errors
/// [`Fault::Driver`] if it panics.
pub(super) fn answered<T>(
    what: &str,
    call: impl FnOnce() -> Result<T, DriverError>,
) -> Result<Result<T, CUresult>, Fault> {
    Ok(guarded(what, call)?.map_err(|error| error.0))
}

/// A driver that said no.
pub(super) fn failed(what: &str, code: CUresult) -> Fault {
    // Drivers that are newer than `cudarc` may know codes that have no name here: they are asked.
    let number = code as u32;
    Fault::Driver(format!("{what}: error {number}{}", name(code).map(|name| format!(", {name}")).unwrap_or_default()))
}

fn name(code: CUresult) -> Option<String> {
    let mut name = std::ptr::null();
    // SAFETY: the driver fills in a pointer to a text that stays.
    let asked = guarded("cuGetErrorName", || unsafe { sys::cuGetErrorName(code, &raw mut name) }).ok()?;
    if asked != CUresult::CUDA_SUCCESS || name.is_null() {
        return None;
    }
    // SAFETY: as above; it ends with a zero byte.
    Some(unsafe { CStr::from_ptr(name) }.to_string_lossy().into_owned())
}

fn guarded<T>(what: &str, call: impl FnOnce() -> T) -> Result<T, Fault> {
    catch_unwind(AssertUnwindSafe(call)).map_err(|_| Fault::Driver(format!("{what}: the call panicked")))
}

/// A handle of the driver's, which any thread may use.
#[derive(Clone, Copy, Debug)]
pub(super) struct Handle<T>(pub(super) T);

// SAFETY: the driver's handles name things in the driver; its calls may come from any thread.
unsafe impl<T> Send for Handle<T> {}
// SAFETY: as above.
unsafe impl<T> Sync for Handle<T> {}
