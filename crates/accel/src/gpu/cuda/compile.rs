//! Where the code of a module comes from: the cache, NVRTC, or PTX that came with the program.

use super::cache::{self, Key};
use super::nvrtc::{self, Nvrtc};
use super::shared::{self, Made};
use super::sources::{self, Module};
use crate::gpu::card::Fault;
use std::env::{current_exe, var_os};
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A card, as far as compilers care.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Target {
    /// The newest CUDA that the driver knows: 12080 is 12.8.
    pub(super) driver: i32,
    /// Compute capability.
    pub(super) capability: (i32, i32),
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { driver, capability: (major, minor) } = self;
        write!(f, "CUDA driver {}.{}, compute capability {major}.{minor}", driver / 1000, driver % 1000 / 10)
    }
}

/// Form of an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Code of one architecture.
    Cubin,
    /// Text that the driver compiles.
    Ptx,
}

impl Kind {
    pub(super) const ALL: [Self; 2] = [Self::Cubin, Self::Ptx];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Cubin => "cubin",
            Self::Ptx => "ptx",
        }
    }
}

/// A compiled module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Image {
    pub(super) kind: Kind,
    pub(super) bytes: Vec<u8>,
}

/// Folders of compiled kernels.
#[derive(Clone, Debug, Default)]
pub(super) struct Folders {
    /// Where they are kept.
    pub(super) cache: Option<PathBuf>,
    /// What came with the program.
    pub(super) shipped: Vec<PathBuf>,
}

impl Folders {
    /// `$VIGIL_GPU_CACHE`, or `vigil/gpu` in the user's cache; `$VIGIL_PTX_DIR`, or `ptx` beside the program.
    pub(super) fn of_environment() -> Self {
        let path = |name| var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        let users = || path("XDG_CACHE_HOME").or_else(|| Some(path("HOME")?.join(".cache")));
        let beside = || Some(current_exe().ok()?.parent()?.join("ptx"));
        Self {
            cache: path("VIGIL_GPU_CACHE").or_else(|| Some(users()?.join("vigil/gpu"))),
            shipped: path("VIGIL_PTX_DIR").or_else(beside).into_iter().collect(),
        }
    }
}

/// Compiles what is in no file; loaded when it is needed.
#[derive(Debug)]
pub(super) struct Compiler {
    target: Target,
    folders: Folders,
    nvrtc: Option<Result<Nvrtc, String>>,
    /// Held for the cards that are opened with this one.
    made: Vec<Arc<Made>>,
}

impl Compiler {
    pub(super) fn new(target: Target, folders: Folders) -> Self {
        Self { target, folders, nvrtc: None, made: Vec::new() }
    }

    /// One that finds no NVRTC.
    #[cfg(test)]
    pub(super) fn without_nvrtc(target: Target, folders: Folders) -> Self {
        Self { nvrtc: Some(Err("no libnvrtc".to_owned())), ..Self::new(target, folders) }
    }

    /// A module as `take` takes it, and where it came from. What `take` does not take is looked for elsewhere.
    ///
    /// # Errors
    /// [`Fault::Build`]: what was refused, or what to install where there is nothing to make it with.
    pub(super) fn module<T>(
        &mut self,
        module: Module,
        take: impl Fn(&Image) -> Result<T, Fault>,
    ) -> Result<(T, String), Fault> {
        let key = Key { module, target: self.target, options: nvrtc::OPTIONS };
        let mut problems = vec![];
        // Before the cache is read: what another card has compiled is in one of the two.
        let made = shared::of(module, self.target);
        self.made.push(Arc::clone(&made));
        if let Some((folder, image)) = self.cached(&key) {
            match take(&image) {
                Ok(taken) => return Ok((taken, format!("{} from the cache", image.kind.name()))),
                Err(fault) => problems.push(format!("from the cache: {fault}")),
            }
            cache::remove(&folder, &key);
        }
        match self.compile(module, &made) {
            Ok(image) => match take(&image) {
                Ok(taken) => {
                    self.folders.cache.iter().for_each(|folder| cache::write(folder, &key, &image));
                    return Ok((taken, format!("{} from NVRTC", image.kind.name())));
                }
                Err(fault) => problems.push(format!("from NVRTC: {fault}")),
            },
            Err(Fault::Build { reason, .. }) => problems.push(reason),
            Err(_) => {}
        }
        if let Some(image) = self.shipped(module) {
            match take(&image) {
                Ok(taken) => return Ok((taken, "shipped ptx".to_owned())),
                Err(fault) => problems.push(format!("shipped: {fault}")),
            }
        }
        match problems.is_empty() {
            true => Err(Fault::Build { kernel: module.name(), reason: self.lacking() }),
            false => Err(Fault::Build { kernel: module.name(), reason: problems.join("; ") }),
        }
    }

    fn cached(&self, key: &Key<'_>) -> Option<(PathBuf, Image)> {
        let folder = self.folders.cache.as_ref()?;
        cache::read(folder, key).map(|image| (folder.clone(), image))
    }

    fn compile(&mut self, module: Module, made: &Made) -> Result<Image, Fault> {
        let target = self.target;
        let nvrtc = self.nvrtc.get_or_insert_with(|| Nvrtc::load(target));
        let nvrtc = nvrtc.as_ref().map_err(|problem| Fault::Missing(problem.clone()))?;
        let image = made.get_or_init(|| nvrtc.image(module, target)).clone();
        image.map_err(|reason| Fault::Build { kernel: module.name(), reason })
    }

    fn shipped(&self, module: Module) -> Option<Image> {
        let bytes = self.folders.shipped.iter().find_map(|folder| std::fs::read(shipped_path(folder, module)).ok());
        bytes.map(|bytes| Image { kind: Kind::Ptx, bytes })
    }

    fn lacking(&self) -> String {
        let no_nvrtc = self.nvrtc.as_ref().and_then(|nvrtc| nvrtc.as_ref().err()).map_or("", String::as_str);
        let ptx = self.folders.shipped.iter().map(|folder| format!(", no PTX in {}", folder.display()));
        let lacking: String = std::iter::once(no_nvrtc.to_owned()).chain(ptx).collect();
        format!(
            "{lacking}: install NVRTC of CUDA 12 or 13, or the PTX of this version; the CPU does the work of {} meanwhile",
            self.target
        )
    }
}

/// The file of a module in a folder that `scripts/cuda-check.sh --ptx` wrote.
pub(super) fn shipped_path(folder: &Path, module: Module) -> PathBuf {
    folder.join(format!("{}-{}.ptx", module.name(), sources::hash()))
}
