//! The threads of this process, as Linux lists them.

use std::collections::HashSet;
use std::ffi::OsString;
use std::fs::{DirEntry, read_dir, read_to_string};

/// The ids of the threads with this name.
pub(crate) fn named(name: &str) -> HashSet<OsString> {
    let threads = read_dir("/proc/self/task").expect("a list of threads");
    let threads = threads.map(|thread| thread.expect("it can be read"));
    // A thread that has ended has no name any more.
    let has_name = |thread: &DirEntry| {
        read_to_string(thread.path().join("comm")).is_ok_and(|text| text.trim() == name)
    };
    threads.filter(has_name).map(|thread| thread.file_name()).collect()
}
