//! Finding cards.

use super::compile::Target;
use super::device::Cuda;
use super::driver::{Handle, answered, call, failed, load};
use crate::gpu::card::{Card, CardInfo, Fault};
use cudarc::driver::result::{self, device};
use cudarc::driver::sys::{self, CUdevice, CUdevice_attribute as Attribute, CUresult};
use std::sync::Arc;

/// Items of a launch, for each multiprocessor: some milliseconds of signatures.
const ITEMS_OF_PROCESSOR: usize = 2_000;
/// At least and at most.
const ITEMS_MIN: usize = 4_096;
const ITEMS_MAX: usize = 262_144;

/// Opens every card; what cannot be opened says why.
pub(crate) fn open_all() -> Vec<Result<Arc<dyn Card>, Fault>> {
    match count() {
        Ok(count) => (0..count).map(open).collect(),
        Err(fault) => vec![Err(fault)],
    }
}

/// How many there are; never 0.
fn count() -> Result<i32, Fault> {
    load()?;
    let missing = |what: &str| Err(Fault::Missing(what.to_owned()));
    match answered("cuInit", result::init)? {
        Ok(()) => {}
        Err(CUresult::CUDA_ERROR_NO_DEVICE) => return missing("the CUDA driver finds no card"),
        Err(CUresult::CUDA_ERROR_STUB_LIBRARY) => {
            return missing("libcuda is a stub: the CUDA driver is not installed");
        }
        Err(code) => return Err(failed("cuInit", code)),
    }
    match call("cuDeviceGetCount", device::get_count)? {
        ..1 => missing("the CUDA driver finds no card"),
        count => Ok(count),
    }
}

fn open(ordinal: i32) -> Result<Arc<dyn Card>, Fault> {
    let device = call("cuDeviceGet", || device::get(ordinal))?;
    let name = call("cuDeviceGetName", || device::get_name(device))?;
    let major = attribute(device, Attribute::CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR)?;
    let minor = attribute(device, Attribute::CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR)?;
    let processors = attribute(device, Attribute::CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT)?;
    // SAFETY: the driver named the device.
    let memory = call("cuDeviceTotalMem", || unsafe { device::total_mem(device) })?;
    // SAFETY: as above.
    let context = call("cuDevicePrimaryCtxRetain", || unsafe { result::primary_ctx::retain(device) })?;
    let context = Handle(context);
    // SAFETY: the context is new.
    call("cuCtxSetCurrent", || unsafe { result::ctx::set_current(context.0) })?;
    let (free, _) = call("cuMemGetInfo", result::mem_get_info)?;
    let version = version()?;
    let target = Target { driver: version, capability: (major, minor) };
    let info = CardInfo {
        name,
        driver: target.to_string(),
        place: Some(place(device)?),
        kernels: String::new(),
        memory_bytes: Some(memory as u64),
        buffer_bytes_max: free as u64 / 2,
        items_max: items_max(processors),
        steps_max: usize::MAX,
        software: false,
    };
    Ok(Arc::new(Cuda::new(info, target, device, context)))
}

fn attribute(device: CUdevice, which: Attribute) -> Result<i32, Fault> {
    // SAFETY: the driver named the device.
    call("cuDeviceGetAttribute", || unsafe { device::get_attribute(device, which) })
}

/// As Vulkan has it: domain, bus, device, function.
fn place(device: CUdevice) -> Result<String, Fault> {
    let domain = attribute(device, Attribute::CU_DEVICE_ATTRIBUTE_PCI_DOMAIN_ID)?;
    let bus = attribute(device, Attribute::CU_DEVICE_ATTRIBUTE_PCI_BUS_ID)?;
    let device = attribute(device, Attribute::CU_DEVICE_ATTRIBUTE_PCI_DEVICE_ID)?;
    Ok(format!("{domain:04x}:{bus:02x}:{device:02x}.0"))
}

/// The newest CUDA that the driver knows: 12080 is 12.8.
fn version() -> Result<i32, Fault> {
    let mut version = 0;
    // SAFETY: the driver fills in a number.
    call("cuDriverGetVersion", || unsafe { sys::cuDriverGetVersion(&raw mut version) }.result())?;
    Ok(version)
}

fn items_max(processors: i32) -> usize {
    (usize::try_from(processors).unwrap_or(0) * ITEMS_OF_PROCESSOR).clamp(ITEMS_MIN, ITEMS_MAX)
}

#[cfg(test)]
mod tests {
    use super::items_max;

    #[test]
    fn larger_cards_get_longer_launches() {
        let cards = [(-1, 4_096), (0, 4_096), (2, 4_096), (16, 32_000), (132, 262_144), (i32::MAX, 262_144)];
        for (processors, items) in cards {
            assert_eq!(items_max(processors), items, "{processors}");
        }
    }
}
