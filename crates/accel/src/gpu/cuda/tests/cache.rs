//! Files of compiled kernels.

use crate::gpu::cuda::cache::{Key, read, remove, write};
use crate::gpu::cuda::compile::{Image, Kind, Target};
use crate::gpu::cuda::sources::Module;
use std::fs;
use std::path::Path;
use std::time::{Duration, SystemTime};

const TARGET: Target = Target { driver: 12_080, capability: (9, 0) };
const KEY: Key<'_> = Key { module: Module::Secp, target: TARGET, options: "-std=c++17" };

fn image() -> Image {
    // With line ends and zero bytes, as binaries have.
    Image { kind: Kind::Cubin, bytes: (0..3_000).map(|at| (at * 7 % 256) as u8).collect() }
}

fn with_folder(test: impl FnOnce(&Path)) {
    let folder = tempfile::tempdir().expect("a folder");
    test(folder.path());
}

fn files(folder: &Path) -> usize {
    fs::read_dir(folder).expect("the folder").count()
}

#[test]
fn what_is_kept_is_found() {
    with_folder(|folder| {
        let folder = folder.join("in/new/folders");
        for kind in Kind::ALL {
            assert_eq!(read(&folder, &KEY).is_none(), kind == Kind::Cubin);
            let image = Image { kind, ..image() };
            write(&folder, &KEY, &image);
            assert_eq!(read(&folder, &KEY), Some(image), "the last one");
        }
        assert_eq!(files(&folder), 1, "nothing else is left");
        remove(&folder, &KEY);
        assert_eq!((read(&folder, &KEY), files(&folder)), (None, 0));
    });
}

#[test]
fn what_is_for_another_card_driver_or_compiler_is_not_taken() {
    with_folder(|folder| {
        write(folder, &KEY, &image());
        let others = [
            Key { module: Module::Keccak, ..KEY },
            Key { target: Target { driver: 13_000, ..TARGET }, ..KEY },
            Key { target: Target { capability: (9, 1), ..TARGET }, ..KEY },
            Key { target: Target { capability: (10, 0), ..TARGET }, ..KEY },
            Key { options: "-std=c++20", ..KEY },
        ];
        for other in others {
            assert_eq!(read(folder, &other), None);
            // Nor if the file has its name.
            fs::copy(KEY.path(folder), other.path(folder)).expect("copied");
            assert_eq!(read(folder, &other), None, "{other:?}");
        }
    });
}

#[test]
fn a_damaged_file_is_not_taken_and_is_replaced() {
    with_folder(|folder| {
        write(folder, &KEY, &image());
        let (path, good) = (KEY.path(folder), fs::read(KEY.path(folder)).expect("written"));
        let cut = [0, 1, 20, good.len() / 2, good.len() - 1].map(|bytes| good[..bytes].to_vec());
        let flipped = (0..good.len()).step_by(61).map(|at| {
            let mut bytes = good.clone();
            bytes[at] ^= 1 << (at % 8);
            bytes
        });
        let longer = [good.as_slice(), b"\n"].concat();
        for bad in cut.into_iter().chain(flipped).chain([longer]) {
            fs::write(&path, &bad).expect("written");
            assert_eq!(read(folder, &KEY), None, "{} bytes", bad.len());
            write(folder, &KEY, &image());
            assert_eq!(read(folder, &KEY), Some(image()));
        }
    });
}

#[test]
fn a_folder_that_cannot_be_used_is_no_harm() {
    with_folder(|folder| {
        let file = folder.join("file");
        fs::write(&file, "not a folder").expect("written");
        write(&file, &KEY, &image());
        assert_eq!(read(&file, &KEY), None);
        // A folder where the file should be: it can be neither read nor replaced.
        fs::create_dir(KEY.path(folder)).expect("a folder");
        write(folder, &KEY, &image());
        remove(folder, &KEY);
        assert_eq!((read(folder, &KEY), files(folder)), (None, 2));
        write(Path::new("/proc/no such folder"), &KEY, &image());
        assert_eq!(read(Path::new("/proc/no such folder"), &KEY), None);
    });
}

#[test]
fn writers_and_readers_do_not_meet() {
    with_folder(|folder| {
        let good = [image(), Image { kind: Kind::Ptx, bytes: vec![b'x'; 100_000] }];
        write(folder, &KEY, &good[0]);
        std::thread::scope(|scope| {
            for image in &good {
                scope.spawn(|| (0..200).for_each(|_| write(folder, &KEY, image)));
            }
            for _ in 0..400 {
                let found = read(folder, &KEY).expect("always one");
                assert!(good.contains(&found));
            }
        });
        assert_eq!(files(folder), 1);
    });
}

#[test]
fn what_is_of_no_use_any_more_goes_and_nothing_else() {
    const DAY: Duration = Duration::from_secs(24 * 60 * 60);
    with_folder(|folder| {
        let name = |key: Key<'_>| key.path(folder).file_name().expect("a name").to_str().expect("plain").to_owned();
        let (own, sources) = (name(KEY), crate::gpu::cuda::sources::hash());
        let make = |name: &str, age: Duration| {
            let file = fs::File::create(folder.join(name)).expect("made");
            file.set_modified(SystemTime::now() - age).expect("its time");
        };
        let gone = [
            name(Key { target: Target { driver: 13_000, ..TARGET }, ..KEY }),
            name(Key { options: "-std=c++20", ..KEY }),
            own.replace(sources, &"0".repeat(32)),
        ];
        let drafts =
            [own.replace(".bin", ".7-0.new"), name(Key { module: Module::G1, ..KEY }).replace(".bin", ".81-12.new")];
        let mut stay = vec![
            name(Key { module: Module::Keccak, ..KEY }),
            name(Key { target: Target { capability: (10, 0), ..TARGET }, ..KEY }),
            // Not as this program names its own.
            gone[0].replace("secp", "secret"),
            gone[0].replace(sources, &sources[1..]),
            gone[0].replace(sources, &sources.replace(&sources[..1], "x")),
            format!("{}.bin", gone[0]),
            gone[0].replace(".bin", ".txt"),
            gone[0].replace(".bin", "-1.bin"),
            gone[0].replace("-13000-", "--"),
            gone[0].replace(".bin", ".x-1.new"),
            gone[0].replace(".bin", ".1.new"),
            "notes.new".to_owned(),
        ];
        gone.iter().chain(&stay).for_each(|name| make(name, 100 * DAY));
        drafts.iter().for_each(|name| make(name, DAY + Duration::from_secs(60)));
        stay.push(own.replace(".bin", ".8-0.new"));
        make(&stay[stay.len() - 1], DAY / 2);
        // A folder and a link with names of ours.
        let others = [7_000, 7_010].map(|driver| name(Key { target: Target { driver, ..TARGET }, ..KEY }));
        fs::create_dir(folder.join(&others[0])).expect("a folder");
        std::os::unix::fs::symlink(folder.join(&stay[0]), folder.join(&others[1])).expect("a link");
        stay.extend(others);

        write(folder, &KEY, &image());
        stay.push(own);
        stay.sort();
        let found = fs::read_dir(folder).expect("the folder").map(|entry| entry.expect("a file").file_name());
        let mut found: Vec<String> = found.map(|name| name.into_string().expect("plain")).collect();
        found.sort();
        assert_eq!(found, stay);
        assert_eq!(read(folder, &KEY), Some(image()));
    });
}
