//! Registry of the files that this process has open, so that the logs of a file share it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError, Weak};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use futures_channel::oneshot;
use sse_core::store::StoreError;

use crate::database::Database;
use crate::error::{Failure, threads_ended};
use crate::open_database::{cannot_open, is_open_elsewhere};
use crate::options::EngineOptions;
use crate::threads::{FileThreads, start};

/// Returns the file at this path, and opens it if it is not open. It opens the file in a thread, since redb may have to repair it.
pub(crate) async fn open(
    path: &Path,
    options: &EngineOptions,
) -> Result<Arc<FileThreads>, StoreError> {
    let file = match open_already(path) {
        Some(file) => file,
        None => {
            let (path, options) = (path.to_owned(), options.clone());
            let opened = in_own_thread("opens a file", move || open_here(&path, &options)).await?;
            opened.map_err(Failure::into_store_error)?
        }
    };
    // Another file may have the path now.
    file.check_replaced().await;
    Ok(file)
}

/// Returns true if this process closes the file within this time, or has closed it.
pub(crate) async fn closed(path: &Path, at_most: Duration) -> Result<bool, StoreError> {
    let path = path.to_owned();
    in_own_thread("closes a file", move || is_closed_within(&path, at_most)).await
}

/// Runs this in its own thread.
async fn in_own_thread<T: Send + 'static>(
    name: &str,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, StoreError> {
    let (sender, receiver) = oneshot::channel();
    thread::Builder::new()
        .name(name.into())
        .spawn(move || drop(sender.send(work())))
        .map_err(StoreError::failed)?;
    receiver.await.map_err(|_| threads_ended())
}

/// Files that this process has open, by their paths.
static FILES: Mutex<BTreeMap<PathBuf, Arc<Mutex<Entry>>>> = Mutex::new(BTreeMap::new());

/// File at a path, and the thread that writes it.
#[derive(Default)]
struct Entry {
    file: Weak<FileThreads>,
    /// Thread that writes the file. It closes the file and ends after the last use of the file.
    writer: Option<JoinHandle<()>>,
}

impl Entry {
    fn is_open(&self) -> bool {
        self.file.strong_count() > 0
            || self.writer.as_ref().is_some_and(|writer| !writer.is_finished())
    }
}

/// Returns the file at this path if it is open, and no call is opening or closing it.
fn open_already(path: &Path) -> Option<Arc<FileThreads>> {
    let path = absolute(path).ok()?;
    let entry = Arc::clone(lock(&FILES).get(&path)?);
    let open = entry.try_lock().ok()?;
    open.file.upgrade()
}

fn open_here(path: &Path, options: &EngineOptions) -> Result<Arc<FileThreads>, Failure> {
    let path = absolute(path).map_err(|error| cannot_open(path, &error.to_string()))?;
    let entry = entry_of(&path);
    let mut entry = lock(&entry);
    if let Some(file) = entry.file.upgrade() {
        return Ok(file);
    }
    if let Some(writer) = entry.writer.take() {
        drop(writer.join());
    }
    let database = open_when_free(&path, options)?;
    let (file, writer) = start(database).map_err(|error| Failure::Engine(error.into()))?;
    *entry = Entry { file: Arc::downgrade(&file), writer: Some(writer) };
    Ok(file)
}

fn is_closed_within(path: &Path, at_most: Duration) -> bool {
    let begun = Instant::now();
    let Ok(path) = absolute(path) else { return true };
    let entry = entry_of(&path);
    loop {
        // Another call that holds the entry may wait for another process to close the file.
        let is_open = match entry.try_lock() {
            Ok(entry) => entry.is_open(),
            Err(TryLockError::Poisoned(entry)) => entry.into_inner().is_open(),
            Err(TryLockError::WouldBlock) => true,
        };
        if !is_open || begun.elapsed() >= at_most {
            return !is_open;
        }
        thread::sleep(Duration::from_millis(1));
    }
}

/// Returns the one path of a file, independent of the working directory and of links.
fn absolute(path: &Path) -> std::io::Result<PathBuf> {
    match path.canonicalize() {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let name = path.file_name().ok_or(error)?;
            let folder = path.parent().filter(|folder| *folder != Path::new(""));
            Ok(folder.unwrap_or(Path::new(".")).canonicalize()?.join(name))
        }
        path => path,
    }
}

fn entry_of(path: &Path) -> Arc<Mutex<Entry>> {
    let mut files = lock(&FILES);
    // Entries of closed files hold nothing.
    files.retain(|_, entry| Arc::strong_count(entry) > 1 || lock(entry).is_open());
    Arc::clone(files.entry(path.to_owned()).or_default())
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Opens the file. If another process has the file open, it waits for up to `connect_timeout`.
fn open_when_free(path: &Path, options: &EngineOptions) -> Result<Database, Failure> {
    let begun = Instant::now();
    loop {
        match Database::open(path, options) {
            Err(failure) if is_open_elsewhere(&failure) => {
                if begun.elapsed() >= options.connect_timeout {
                    return Err(cannot_open(path, &failure.to_string()));
                }
                thread::sleep(Duration::from_millis(20));
            }
            opened => return opened,
        }
    }
}
