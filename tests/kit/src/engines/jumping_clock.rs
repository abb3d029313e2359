//! A clock that a test sets, for a program that asks libc for the time: libfaketime, which the program loads before libc.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tempfile::TempDir;

/// The time that one look at the clock may take, on a machine that is busy. A jump is longer.
const SLACK: Duration = Duration::from_secs(60);

/// The clock. Until it jumps it has the system's time. A monotonic clock does not jump with it.
#[derive(Debug)]
pub struct JumpingClock {
    /// Has the file that libfaketime reads at each look at the clock.
    folder: TempDir,
    library: PathBuf,
}

impl JumpingClock {
    /// Starts one.
    ///
    /// # Panics
    ///
    /// If libfaketime is missing.
    pub fn start() -> Self {
        let folders = fs::read_dir("/usr/lib").into_iter().flatten().flatten();
        let mut libraries = folders.map(|folder| folder.path().join("faketime/libfaketime.so.1"));
        let library = libraries.find(|library| library.is_file());
        let library = library.expect("libfaketime (Debian's package `libfaketime`)");
        let folder = TempDir::new().expect("a temporary folder");
        // A server may run as another user.
        fs::set_permissions(folder.path(), Permissions::from_mode(0o755)).expect("it is ours");
        let clock = Self { folder, library };
        clock.jump_to(0);
        clock
    }

    /// Jumps to this many seconds after the system's time, or before it if the number is negative.
    ///
    /// # Panics
    ///
    /// If the clock does not jump.
    pub fn jump_to(&self, ahead: i64) {
        let next = self.folder.path().join("next");
        fs::write(&next, format!("{ahead:+}\n")).expect("a file in a folder of our own");
        fs::rename(next, self.file()).expect("a reader finds one or the other");
        let now = Command::new("date").arg("+%s").envs(self.environment()).output();
        let now = String::from_utf8(now.expect("date runs").stdout).expect("a number");
        let system = SystemTime::now().duration_since(UNIX_EPOCH).expect("it is after 1970");
        let now: i64 = now.trim().parse().expect("a number");
        let off = now.abs_diff(system.as_secs() as i64 + ahead);
        assert!(off < SLACK.as_secs(), "the clock is {off} s off");
    }

    /// Returns the environment of a program that has this clock.
    pub fn environment(&self) -> Vec<(String, String)> {
        // Debian's Redis brings an allocator that asks for the time before libfaketime is ready; libc's own takes its place.
        let libraries = format!("{} libc.so.6", self.library.display());
        let file = self.file().display().to_string();
        let environment = [
            ("LD_PRELOAD", libraries.as_str()),
            ("FAKETIME_TIMESTAMP_FILE", &file),
            ("FAKETIME_NO_CACHE", "1"),
            ("DONT_FAKE_MONOTONIC", "1"),
            ("NO_FAKE_STAT", "1"),
        ];
        environment.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec()
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("time")
    }
}

impl Drop for JumpingClock {
    /// Removes the shared memory that libfaketime has made for each process, and leaves there if the process is killed.
    fn drop(&mut self) {
        for file in fs::read_dir("/dev/shm").into_iter().flatten().flatten() {
            let (name, path) = (file.file_name(), file.path());
            let name = name.to_str().unwrap_or_default();
            let is_faketime = name.contains("faketime_shm_") || name.contains("faketime_sem_");
            let process = name.rsplit('_').next().unwrap_or_default();
            if is_faketime && !Path::new("/proc").join(process).exists() {
                // Another test may have removed it.
                _ = fs::remove_file(path);
            }
        }
    }
}
