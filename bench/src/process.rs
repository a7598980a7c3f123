//! What a process has used, read from `/proc`.

use serde::Serialize;
use std::path::Path;

/// Kernel clock ticks a second; fixed by Linux's user-space interface on every architecture we run on.
const TICKS_PER_S: f64 = 100.0;

/// Resources of one process since its start.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub(crate) struct Usage {
    /// User and system time, in seconds.
    pub(crate) cpu_s: f64,
    /// Most resident memory so far, in MiB.
    pub(crate) rss_max_mib: f64,
    /// Bytes handed to the disk, in MiB.
    pub(crate) written_mib: f64,
}

impl Usage {
    /// Of process `pid`; `None` once it is gone.
    pub(crate) fn of(pid: u32) -> Option<Self> {
        let read = |file: &str| std::fs::read_to_string(format!("/proc/{pid}/{file}")).ok();
        let stat = read("stat")?;
        let after_name = stat.rsplit_once(')')?.1;
        let mut fields = after_name.split_whitespace();
        let user: f64 = fields.nth(11)?.parse().ok()?;
        let system: f64 = fields.next()?.parse().ok()?;
        let number = |text: &str, key: &str| {
            let line = text.lines().find(|l| l.starts_with(key))?;
            line.split_whitespace().nth(1)?.parse::<f64>().ok()
        };
        Some(Self {
            cpu_s: (user + system) / TICKS_PER_S,
            rss_max_mib: number(&read("status")?, "VmHWM:")? / 1024.0,
            written_mib: number(&read("io").unwrap_or_default(), "write_bytes:").unwrap_or(0.0) / (1024.0 * 1024.0),
        })
    }

    /// What was used since `before`; memory is the later figure.
    pub(crate) fn since(&self, before: &Self) -> Self {
        Self {
            cpu_s: self.cpu_s - before.cpu_s,
            rss_max_mib: self.rss_max_mib,
            written_mib: self.written_mib - before.written_mib,
        }
    }
}

/// The process that holds a data directory: the number in its `LOCK`.
pub(crate) fn holder(data_dir: &Path) -> Option<u32> {
    std::fs::read_to_string(data_dir.join("LOCK")).ok()?.trim().parse().ok()
}
