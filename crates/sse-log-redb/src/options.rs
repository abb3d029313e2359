use sse_core::StoreOptions;

/// How a log is kept in a file.
///
/// ```
/// use sse_log_redb::{StoreOptions, Options};
///
/// let log = StoreOptions { events: 10_000, ..StoreOptions::default() };
/// let options = Options { log, check_on_open: true, ..Options::default() };
/// assert_eq!(options.cache_bytes, 64 * 1024 * 1024);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// How much is kept, and what is accepted; default [`StoreOptions::default`].
    ///
    /// In a file: the bytes kept are those of the events' blocks; the file is larger. Ages go by the clock of this machine. Opening waits for
    /// another process to let go of the file for as long as [`StoreOptions::store_wait`].
    pub log: StoreOptions,
    /// How many bytes of the file are held in memory, whatever the number of its logs; default 64 MiB. Whoever opens the file first in a
    /// process decides.
    pub cache_bytes: usize,
    /// Whether every page of the file is checked as it is opened, so that damage done by others (a failing disk, a copy made of an open
    /// file) is an error then. It reads the whole file; whoever opens it first in a process decides. Default `false`: a file that was closed as it should is trusted, and damage is
    /// an error once it is come upon, if it is noticed.
    pub check_on_open: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self { log: StoreOptions::default(), cache_bytes: 64 * 1024 * 1024, check_on_open: false }
    }
}
