//! What nobody will read again is removed, so that the folder does not grow for ever.

use std::fs::{DirEntry, Metadata};
use std::path::Path;
use std::time::Duration;

/// A draft that is older was left behind by a process that ended.
const DRAFT_AGE: Duration = Duration::from_secs(24 * 60 * 60);

/// Parts of a file's name, as `Key::path` makes them.
struct Name<'a> {
    module: &'a str,
    capability: &'a str,
    /// Of a draft: not yet renamed.
    is_draft: bool,
}

/// Removes what was kept for the same module and capability by other drivers, sources and options than those of the file
/// `kept`, and old drafts of any. Only plain files with names as this program gives them; links are let be.
pub(super) fn tidy(folder: &Path, kept: &Path) {
    let Some(kept) = kept.file_name().and_then(|name| name.to_str()) else { return };
    let Some(of_kept) = Name::read(kept) else { return };
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        if is_stale(&entry, kept, &of_kept) {
            // If it stays, it takes room and no more.
            let _ = std::fs::remove_file(entry.path());
        }
    }
}

fn is_stale(entry: &DirEntry, kept: &str, of_kept: &Name<'_>) -> bool {
    let name = entry.file_name();
    let Some((text, name)) = name.to_str().and_then(|text| Some((text, Name::read(text)?))) else { return false };
    // Of the entry itself, wherever a link leads.
    let Ok(found) = entry.metadata() else { return false };
    let is_older = match name.is_draft {
        true => age(&found) > DRAFT_AGE,
        false => text != kept && (name.module, name.capability) == (of_kept.module, of_kept.capability),
    };
    found.is_file() && is_older
}

/// Nothing where clocks disagree.
fn age(found: &Metadata) -> Duration {
    found.modified().ok().and_then(|time| time.elapsed().ok()).unwrap_or_default()
}

impl<'a> Name<'a> {
    /// `secp-12080-9.0-SOURCES-OPTIONS.bin`, or `...-OPTIONS.PROCESS-NUMBER.new`.
    fn read(name: &'a str) -> Option<Self> {
        let (stem, is_draft) = match name.strip_suffix(".bin") {
            Some(stem) => (stem, false),
            None => {
                let (stem, process) = name.strip_suffix(".new")?.rsplit_once('.')?;
                let (process, number) = process.split_once('-')?;
                (is_number(process) && is_number(number)).then_some((stem, true))?
            }
        };
        let mut parts = stem.split('-');
        let [module, driver, capability, sources, options] = std::array::from_fn(|_| parts.next().unwrap_or_default());
        let (major, minor) = capability.split_once('.')?;
        let is_ours = super::Module::ALL.iter().any(|known| known.name() == module)
            && [driver, major, minor].into_iter().all(is_number)
            && is_hex(sources, 32)
            && is_hex(options, 8)
            && parts.next().is_none();
        is_ours.then_some(Self { module, capability, is_draft })
    }
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_hex(text: &str, digits: usize) -> bool {
    text.len() == digits && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}
