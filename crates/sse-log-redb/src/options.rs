use std::time::Duration;

/// Options of a whole file with all its logs. The limits of a log are in [`StoreOptions`](crate::StoreOptions).
///
/// ```
/// use sse_log_redb::EngineOptions;
///
/// let options = EngineOptions::new().check_on_open(true);
/// assert_eq!(options.cache_bytes, 64 * 1024 * 1024);
/// ```
///
/// The first call that opens a file in a process sets these options. Later calls there share them, until the file is closed.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
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

impl EngineOptions {
    /// Returns the defaults.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets [`connect_timeout`](field@Self::connect_timeout).
    #[must_use]
    pub fn connect_timeout(self, connect_timeout: Duration) -> Self {
        Self { connect_timeout, ..self }
    }

    /// Sets [`cache_bytes`](field@Self::cache_bytes).
    #[must_use]
    pub fn cache_bytes(self, cache_bytes: usize) -> Self {
        Self { cache_bytes, ..self }
    }

    /// Sets [`check_on_open`](field@Self::check_on_open).
    #[must_use]
    pub fn check_on_open(self, check_on_open: bool) -> Self {
        Self { check_on_open, ..self }
    }
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
