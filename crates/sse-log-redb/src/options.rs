use std::time::Duration;

/// Concerns a whole file, whatever the number of its logs. What one log keeps and accepts is in [`StoreOptions`](crate::StoreOptions).
///
/// ```
/// use sse_log_redb::EngineOptions;
///
/// let options = EngineOptions { check_on_open: true, ..EngineOptions::default() };
/// assert_eq!(options.cache_bytes, 64 * 1024 * 1024);
/// ```
///
/// The call that opens a file in a process decides these for all that open it there afterwards, until the file is closed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EngineOptions {
    /// How long opening waits while another process has the file open. Default: 0 s, which is an error at once.
    pub connect_timeout: Duration,
    /// How many bytes of the file are held in memory. Default: 64 MiB.
    pub cache_bytes: usize,
    /// Whether redb checks every page of the file as it opens it, and so notices damage done by others (a failing disk, a copy made of an open
    /// file). It then reads the whole file. Default: `false`. redb then trusts a file that was closed, and damage is an error once redb reads it,
    /// if redb notices it.
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
