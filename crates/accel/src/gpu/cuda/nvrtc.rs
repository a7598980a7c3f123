//! NVIDIA's run-time compiler. Loaded here, because `cudarc` 0.19 does not know the name of CUDA 13's library and panics
//! without one.

use super::compile::{Image, Kind, Target};
use super::sources::{self, Module};
use libloading::Library;
use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::mem::ManuallyDrop;
use std::ptr::null_mut;

/// What the compiler is told, beside the architecture. `scripts/nvrtc.py` says the same.
pub(super) const OPTIONS: &str = "-std=c++17";
/// For cards that the compiler does not know: the driver compiles the rest.
pub(super) const PTX_ARCHITECTURE: &str = "compute_75";
/// An option, such as the architecture, is not known.
const INVALID_OPTION: c_int = 5;

/// `nvrtcProgram`, and functions of programs that return `nvrtcResult`, 0 if all is well.
type Program = *mut c_void;
type Create =
    unsafe extern "C" fn(*mut Program, *const c_char, *const c_char, c_int, *const Text, *const Text) -> c_int;
type Compile = unsafe extern "C" fn(Program, c_int, *const Text) -> c_int;
type Destroy = unsafe extern "C" fn(*mut Program) -> c_int;
type Size = unsafe extern "C" fn(Program, *mut usize) -> c_int;
type Copy = unsafe extern "C" fn(Program, *mut c_char) -> c_int;
type Describe = unsafe extern "C" fn(c_int) -> *const c_char;
type Text = *const c_char;

/// The library.
#[derive(Debug)]
pub(super) struct Nvrtc {
    create: Create,
    compile: Compile,
    destroy: Destroy,
    log: (Size, Copy),
    cubin: (Size, Copy),
    ptx: (Size, Copy),
    describe: Describe,
    /// Never unloaded: it may have threads of its own.
    _library: ManuallyDrop<Library>,
}

impl Nvrtc {
    /// Loads it: that of the driver's own version first.
    ///
    /// # Errors
    /// Why not.
    pub(super) fn load(target: Target) -> Result<Self, String> {
        let mut problem = "no libnvrtc".to_owned();
        for name in names(target) {
            // SAFETY: runs the initialisers of NVIDIA's library.
            let Ok(library) = (unsafe { Library::new(&name) }) else { continue };
            match Self::of(library) {
                Ok(nvrtc) => return Ok(nvrtc),
                Err(error) => problem = format!("{name}: {error}"),
            }
        }
        Err(problem)
    }

    fn of(library: Library) -> Result<Self, libloading::Error> {
        // SAFETY: these are the types that NVIDIA's documentation of NVRTC gives.
        unsafe {
            Ok(Self {
                create: *library.get(b"nvrtcCreateProgram")?,
                compile: *library.get(b"nvrtcCompileProgram")?,
                destroy: *library.get(b"nvrtcDestroyProgram")?,
                log: (*library.get(b"nvrtcGetProgramLogSize")?, *library.get(b"nvrtcGetProgramLog")?),
                cubin: (*library.get(b"nvrtcGetCUBINSize")?, *library.get(b"nvrtcGetCUBIN")?),
                ptx: (*library.get(b"nvrtcGetPTXSize")?, *library.get(b"nvrtcGetPTX")?),
                describe: *library.get(b"nvrtcGetErrorString")?,
                _library: ManuallyDrop::new(library),
            })
        }
    }

    /// Compiles a module for a card.
    ///
    /// # Errors
    /// What the compiler says.
    pub(super) fn image(&self, module: Module, target: Target) -> Result<Image, String> {
        let (major, minor) = target.capability;
        match self.compiled(module, &format!("sm_{major}{minor}"), Kind::Cubin) {
            Err((INVALID_OPTION, _)) => self.compiled(module, PTX_ARCHITECTURE, Kind::Ptx),
            result => result,
        }
        .map_err(|(_, problem)| problem)
    }

    fn compiled(&self, module: Module, architecture: &str, kind: Kind) -> Result<Image, (c_int, String)> {
        let program = Source { nvrtc: self, program: self.program(module)? };
        let options = [format!("--gpu-architecture={architecture}"), OPTIONS.to_owned()].map(text);
        let options = options.each_ref().map(|option| option.as_ptr());
        // SAFETY: the program is there, and the options are two texts.
        let result = unsafe { (self.compile)(program.program, 2, options.as_ptr()) };
        self.check(result).map_err(|(code, problem)| (code, format!("{problem}: {}", program.log())))?;
        let bytes = program.output(if kind == Kind::Cubin { self.cubin } else { self.ptx })?;
        match bytes.is_empty() {
            true => Err((0, format!("no {} for {architecture}", kind.name()))),
            false => Ok(Image { kind, bytes }),
        }
    }

    fn program(&self, module: Module) -> Result<Program, (c_int, String)> {
        let (names, texts): (Vec<_>, Vec<_>) = sources::headers().map(|(name, file)| (text(name), text(file))).unzip();
        let names: Vec<Text> = names.iter().map(|name| name.as_ptr()).collect();
        let texts: Vec<Text> = texts.iter().map(|text| text.as_ptr()).collect();
        let (source, name) = (text(module.text()), text(format!("{}.cu", module.name())));
        let mut program = null_mut();
        let count = c_int::try_from(names.len()).expect("few headers");
        // SAFETY: all texts outlive the call, which copies them; there are as many names as headers.
        let result = unsafe {
            (self.create)(&raw mut program, source.as_ptr(), name.as_ptr(), count, texts.as_ptr(), names.as_ptr())
        };
        self.check(result).map(|()| program)
    }

    fn check(&self, result: c_int) -> Result<(), (c_int, String)> {
        if result == 0 {
            return Ok(());
        }
        // SAFETY: gives a text that stays.
        let words = unsafe { (self.describe)(result) };
        let words = match words.is_null() {
            true => "no word about it".into(),
            // SAFETY: as above; it ends with a zero byte.
            false => unsafe { CStr::from_ptr(words) }.to_string_lossy(),
        };
        Err((result, format!("NVRTC: error {result}, {words}")))
    }
}

/// A program of the compiler's.
struct Source<'a> {
    nvrtc: &'a Nvrtc,
    program: Program,
}

impl Source<'_> {
    fn output(&self, (size, copy): (Size, Copy)) -> Result<Vec<u8>, (c_int, String)> {
        let mut bytes = 0;
        // SAFETY: the program is there.
        self.nvrtc.check(unsafe { size(self.program, &raw mut bytes) })?;
        let mut output = vec![0u8; bytes];
        // SAFETY: there is as much room as the compiler asked for.
        self.nvrtc.check(unsafe { copy(self.program, output.as_mut_ptr().cast()) })?;
        Ok(output)
    }

    fn log(&self) -> String {
        let log = self.output(self.nvrtc.log).unwrap_or_default();
        String::from_utf8_lossy(&log).trim_end_matches(['\0', '\n']).to_owned()
    }
}

impl Drop for Source<'_> {
    fn drop(&mut self) {
        // SAFETY: the program is there, and not used again. If it stays, some memory does.
        let _ = unsafe { (self.nvrtc.destroy)(&raw mut self.program) };
    }
}

fn text(of: impl Into<Vec<u8>>) -> CString {
    CString::new(of).expect("no zero bytes in sources")
}

/// What the library may be called: of the driver's version, of others, of a toolkit that the loader does not know.
fn names(target: Target) -> Vec<String> {
    let own = target.driver / 1000;
    let mut versions = [13, 12];
    versions.sort_by_key(|version| *version != own);
    let mut names: Vec<String> = versions.iter().map(|version| file(*version)).collect();
    if cfg!(not(windows)) {
        names.push("libnvrtc.so".to_owned());
        names.push("/usr/local/cuda/lib64/libnvrtc.so".to_owned());
    }
    names
}

fn file(version: i32) -> String {
    if cfg!(windows) { format!("nvrtc64_{version}0_0.dll") } else { format!("libnvrtc.so.{version}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_compiler_of_the_drivers_version_is_tried_first() {
        for (driver, first, second) in [(12_080, 12, 13), (13_000, 13, 12), (14_010, 13, 12)] {
            let target = Target { driver, capability: (9, 0) };
            assert_eq!(names(target)[..2], [file(first), file(second)]);
        }
    }
}
