//! Folders with libraries, built once, and processes that load them.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::LazyLock;
use tempfile::TempDir;

/// Libraries of all kinds, in folders by kind.
pub(super) static LIBRARIES: LazyLock<Libraries> = LazyLock::new(Libraries::build);

/// What there is.
pub(super) struct Libraries {
    root: TempDir,
}

impl Libraries {
    fn build() -> Self {
        let libraries = Self { root: tempfile::tempdir().expect("a folder") };
        let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fake_cuda");
        let [cuda, nvrtc] = ["libcuda.c", "libnvrtc.c"].map(|name| sources.join(name));
        let cc = |library: PathBuf, source: &Path, more: &[&str]| {
            let mut cc = Command::new("cc");
            cc.args(["-std=c11", "-O1", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", "-pthread", "-o"]);
            run(cc.arg(library).arg(source).args(more));
        };
        cc(libraries.library("idle", "libcuda.so.1"), &cuda, &[]);
        cc(libraries.library("nvrtc", "libnvrtc.so.12"), &nvrtc, &[]);
        let (empty, poor) = (libraries.library("empty", "libcuda.so.1"), libraries.library("poor", "libcuda.so.1"));
        std::fs::write(empty, "").expect("written");
        let source = libraries.root.path().join("poor.c");
        std::fs::write(&source, "int cuInit(unsigned flags) { return (int)flags; }\n").expect("written");
        cc(poor, &source, &[]);
        libraries.folder("none");
        libraries
    }

    /// The folder of a kind.
    pub(super) fn folder(&self, kind: &str) -> PathBuf {
        let folder = self.root.path().join(kind);
        std::fs::create_dir_all(&folder).expect("a folder");
        folder
    }

    /// A file in it, by the two names under which it is looked for.
    fn library(&self, kind: &str, name: &str) -> PathBuf {
        let (folder, plain) = (self.folder(kind), name.rsplit_once('.').expect("a version").0);
        std::os::unix::fs::symlink(name, folder.join(plain)).expect("linked");
        folder.join(name)
    }

    /// The library whose kernels work: those of the host twin, in a library of their own that takes some seconds to build.
    pub(super) fn working(&self) -> PathBuf {
        static BUILT: LazyLock<PathBuf> = LazyLock::new(|| {
            let library = LIBRARIES.library("working", "libcuda.so.1");
            let root = Path::new(env!("CARGO_MANIFEST_DIR"));
            let (fake, twin) = (library.with_file_name("libcuda.o"), root.join("../../kernels/cuda/twin.cpp"));
            let mut cc = Command::new("cc");
            run(cc
                .args(["-std=c11", "-O1", "-c", "-fPIC", "-o"])
                .arg(&fake)
                .arg(root.join("tests/fake_cuda/libcuda.c")));
            let mut cc = Command::new("c++");
            cc.args(["-std=c++17", "-O2", "-fno-exceptions", "-fno-rtti", "-shared", "-fPIC", "-pthread", "-o"]);
            run(cc.arg(&library).arg(twin).arg(fake));
            library.parent().expect("a folder").to_owned()
        });
        BUILT.clone()
    }
}

fn run(command: &mut Command) -> Output {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}; the tests need cc and c++"));
    assert!(output.status.success(), "{command:?}\n{}", String::from_utf8_lossy(&output.stderr));
    output
}

/// A process that loads libraries from some folders.
pub(super) struct Run {
    command: Command,
    files: TempDir,
}

/// What a process said.
#[derive(Debug)]
pub(super) struct Said {
    pub(super) all: String,
    /// Whether all its answers were right, to its end.
    pub(super) is_done: bool,
}

impl Run {
    /// With PTX beside it, such as it is, and a cache of its own.
    pub(super) fn new(folders: &[&Path]) -> Self {
        let files = tempfile::tempdir().expect("a folder");
        let paths = std::env::join_paths(folders).expect("plain paths");
        let mut command = Command::new(std::env::current_exe().expect("a test program"));
        command
            .args(["--exact", super::child::NAME, "--nocapture"])
            .env(super::child::KEY, super::child::ASK)
            .env("LD_LIBRARY_PATH", paths)
            .env("VIGIL_GPU_CACHE", files.path().join("cache"))
            .env("VIGIL_PTX_DIR", files.path());
        let run = Self { command, files };
        run.ship("fake ptx")
    }

    /// With this for the PTX of all modules.
    fn ship(self, text: &str) -> Self {
        use crate::gpu::cuda::{compile::shipped_path, sources::Module};
        for module in Module::ALL {
            std::fs::write(shipped_path(self.files.path(), module), text).expect("written");
        }
        self
    }

    /// Without the PTX.
    pub(super) fn without_ptx(mut self) -> Self {
        self.command.env("VIGIL_PTX_DIR", "/nonexistent");
        self
    }

    pub(super) fn env(mut self, key: &str, value: impl ToString) -> Self {
        self.command.env(key, value.to_string());
        self
    }

    /// The files in its cache.
    pub(super) fn kept(&self) -> Vec<Vec<u8>> {
        let files = std::fs::read_dir(self.files.path().join("cache")).expect("a cache");
        files.map(|entry| std::fs::read(entry.expect("a file").path()).expect("read")).collect()
    }

    /// Runs it; once more with the same files.
    pub(super) fn said(&mut self) -> Said {
        let output = self.command.output().expect("a process");
        let all = [output.stdout, output.stderr].map(|text| String::from_utf8_lossy(&text).into_owned()).concat();
        Said { is_done: output.status.success() && all.contains(super::child::DONE), all }
    }
}

impl Said {
    /// The call at which something went wrong, if it came so far.
    pub(super) fn wrong_call(&self) -> Option<&str> {
        self.all.lines().find_map(|line| line.strip_prefix("fake driver: ").or(line.strip_prefix("fake compiler: ")))
    }

    /// What the card was not used for.
    pub(super) fn fault(&self) -> Option<&str> {
        self.all.lines().find_map(|line| line.strip_prefix("fault: "))
    }
}
