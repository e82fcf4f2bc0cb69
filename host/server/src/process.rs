//! What this process may take from the machine, and what it leaves behind.

use berth_model::limits;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// The files that this process may have open: now, and at most. A number where there is no limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Files {
    pub(crate) now: u64,
    pub(crate) most: u64,
}

pub(crate) fn files() -> Files {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let number = |limit: Option<u64>| limit.unwrap_or(limits::FILES_MAX);
    Files { now: number(current), most: number(maximum) }
}

/// Take as many files as this process may have, at most [`limits::FILES_MAX`]: the usual 1,024 are there only for programs that
/// cannot count further. How many it has then.
pub(crate) fn take_files() -> u64 {
    let before = files();
    let wanted = before.most.min(limits::FILES_MAX);
    if wanted <= before.now {
        return before.now;
    }
    let maximum = getrlimit(Resource::Nofile).maximum;
    match setrlimit(Resource::Nofile, Rlimit { current: Some(wanted), maximum }) {
        Ok(()) => wanted,
        Err(error) => {
            tracing::warn!(%error, files = before.now, "the limit of open files was not raised");
            before.now
        }
    }
}

/// How many connections there may be where a process may have so many files: some are kept back, or the database could not open its own.
pub(crate) fn connections(wanted: u32, files: u64) -> usize {
    let reserved = limits::FILES_RESERVED_MIN.max(files / limits::FILES_RESERVED_PARTS).min(files / 2);
    let room = usize::try_from(files.saturating_sub(reserved)).unwrap_or(usize::MAX);
    usize::try_from(wanted).unwrap_or(usize::MAX).min(room).max(1)
}

/// Leave no memory on disk if this process crashes: it holds keys and credentials.
pub(crate) fn no_core_dumps() {
    let none = Rlimit { current: Some(0), maximum: Some(0) };
    if let Err(error) = setrlimit(Resource::Core, none) {
        tracing::warn!(%error, "core dumps were not switched off");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_kept_back_for_the_database() {
        assert_eq!(connections(4_096, 1_024), 768);
        assert_eq!(connections(4_096, 64), 32);
        assert_eq!(connections(4_096, 1_048_576), 4_096);
        assert_eq!(connections(100_000, 20_000), 15_000);
        assert_eq!(connections(0, 0), 1);
    }
}
