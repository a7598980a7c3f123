//! Modules that are loaded, and their kernels.

use super::compile::{Compiler, Folders, Image, Target};
use super::driver::{Handle, call};
use super::sources::Module;
use crate::gpu::card::{Fault, Kernel};
use cudarc::driver::result::{self, DriverError};
use cudarc::driver::sys::{CUfunction, CUmodule};
use std::ffi::CString;

/// The kernels of the operations, and the one that measures.
const LOADED: usize = Kernel::ALL.len() + 1;

/// All kernels of a card.
#[derive(Debug)]
pub(super) struct Kernels {
    modules: Vec<Handle<CUmodule>>,
    functions: [Handle<CUfunction>; LOADED],
    /// Where their code came from.
    pub(super) origin: String,
}

impl Kernels {
    /// Finds, compiles and loads all. The card is this thread's.
    ///
    /// # Errors
    /// [`Fault::Build`].
    pub(super) fn build(target: &Target) -> Result<Self, Fault> {
        let mut compiler = Compiler::new(*target, Folders::of_environment());
        let (mut modules, mut origins) = (vec![], vec![]);
        for module in Module::ALL {
            let (loaded, origin) = compiler.module(module, load)?;
            modules.push(loaded);
            origins.push(origin);
        }
        origins.dedup();
        let function = |kernel| {
            let module = modules[Module::of(kernel) as usize];
            let name = CString::new(Kernel::name(kernel)).expect("no zero byte in names");
            // SAFETY: the module is loaded.
            let function = call("cuModuleGetFunction", || unsafe { result::module::get_function(module.0, name) });
            function.map(Handle).map_err(|fault| Fault::Build { kernel: kernel.name(), reason: fault.to_string() })
        };
        let mut functions = [Handle(std::ptr::null_mut()); LOADED];
        for kernel in Kernel::ALL.into_iter().chain([Kernel::ImadRate]) {
            functions[kernel as usize] = function(kernel)?;
        }
        Ok(Self { modules, functions, origin: origins.join(", ") })
    }

    pub(super) fn function(&self, kernel: Kernel) -> CUfunction {
        self.functions[kernel as usize].0
    }

    /// Gives them back.
    ///
    /// # Safety
    /// The card is this thread's, and none of them runs or will be launched.
    pub(super) unsafe fn unload(&self) -> Result<(), DriverError> {
        // SAFETY: the caller's.
        self.modules.iter().try_for_each(|module| unsafe { result::module::unload(module.0) })
    }
}

fn load(image: &Image) -> Result<Handle<CUmodule>, Fault> {
    // PTX ends with a zero byte.
    let bytes = [image.bytes.as_slice(), &[0]].concat();
    // SAFETY: PTX, or what NVRTC made; files have a checksum.
    call("cuModuleLoadData", || unsafe { result::module::load_data(bytes.as_ptr().cast()) }).map(Handle)
}
