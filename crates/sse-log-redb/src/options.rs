use std::time::Duration;

/// Options of a whole file with all its logs. The limits of a log are in [`StoreOptions`](crate::StoreOptions).
///
/// ```
/// use sse_log_redb::EngineOptions;
///
/// let options = EngineOptions { check_on_open: true, ..EngineOptions::default() };
/// assert_eq!(options.cache_bytes, 64 * 1024 * 1024);
/// ```
///
/// The first call that opens a file in a process sets these options. Later calls there share them, until the file is closed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EngineOptions {
    /// Longest time that opening waits while another process has the file open.
    ///
    /// Default: 0 s, with which opening fails at once.
    pub connect_timeout: Duration,
    /// Size of the cache of the file in memory, in bytes.
    ///
    /// Default: 64 MiB.
    pub cache_bytes: usize,
    /// Check of every page when redb opens the file. redb then reads the whole file, and notices damage done by others (a failing disk, a copy made
    /// of an open file).
    ///
    /// Default: `false`, with which redb trusts a file that was closed. Damage is then an error when redb reads it, if redb notices it.
    pub check_on_open: bool,
}

impl Default for EngineOptions {
    fn default() -> Self {
        Self {
            connect_timeout: Duration::ZERO,
            cache_bytes: 64 * 1024 * 1024,
            check_on_open: false,
        }
    }
}
