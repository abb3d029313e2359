//! The files that this process has open, so that the logs of one share it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError, Weak};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use futures_channel::oneshot;
use sse_core::store::StoreError;

use crate::EngineOptions;
use crate::database::Database;
use crate::failure::Failure;
use crate::file::{File, ended, start};
use crate::opening::{is_taken, named};

/// The file at this path: the one that is open already, or else it is opened. In a thread, since it may have to be repaired.
pub(crate) async fn open(path: &Path, options: &EngineOptions) -> Result<Arc<File>, StoreError> {
    let file = match open_already(path) {
        Some(file) => file,
        None => {
            let (path, options) = (path.to_owned(), options.clone());
            let opened = aside("opens a file", move || open_here(&path, &options)).await?;
            opened.map_err(Failure::into_store_error)?
        }
    };
    // What has this path now may be another file than the one that is open.
    file.look().await;
    Ok(file)
}

/// Whether this process has closed the file by the end of this time.
pub(crate) async fn closed(path: &Path, at_most: Duration) -> Result<bool, StoreError> {
    let path = path.to_owned();
    aside("closes a file", move || is_closed_within(&path, at_most)).await
}

/// Does this in a thread of its own.
async fn aside<T: Send + 'static>(
    name: &str,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, StoreError> {
    let (answer, answered) = oneshot::channel();
    thread::Builder::new()
        .name(name.into())
        .spawn(move || drop(answer.send(work())))
        .map_err(StoreError::failed)?;
    answered.await.map_err(|_| ended())
}

/// The files that this process has open, by their paths.
static FILES: Mutex<BTreeMap<PathBuf, Arc<Mutex<Place>>>> = Mutex::new(BTreeMap::new());

/// What is open at a path.
#[derive(Default)]
struct Place {
    file: Weak<File>,
    /// If the file is in use no more, its writer closes it and ends.
    writer: Option<JoinHandle<()>>,
}

impl Place {
    fn is_open(&self) -> bool {
        self.file.strong_count() > 0
            || self.writer.as_ref().is_some_and(|writer| !writer.is_finished())
    }
}

/// The file at this path, if it is open and nobody is about to open or close it.
fn open_already(path: &Path) -> Option<Arc<File>> {
    let path = absolute(path).ok()?;
    let place = Arc::clone(lock(&FILES).get(&path)?);
    let open = place.try_lock().ok()?;
    open.file.upgrade()
}

fn open_here(path: &Path, options: &EngineOptions) -> Result<Arc<File>, Failure> {
    let path = absolute(path).map_err(|error| named(path, &error.to_string()))?;
    let place = place_of(&path);
    let mut place = lock(&place);
    if let Some(file) = place.file.upgrade() {
        return Ok(file);
    }
    if let Some(writer) = place.writer.take() {
        drop(writer.join());
    }
    let database = open_when_free(&path, options)?;
    let (file, writer) = start(database).map_err(|error| Failure::Engine(error.into()))?;
    *place = Place { file: Arc::downgrade(&file), writer: Some(writer) };
    Ok(file)
}

fn is_closed_within(path: &Path, at_most: Duration) -> bool {
    let begun = Instant::now();
    let Ok(path) = absolute(path) else { return true };
    let place = place_of(&path);
    loop {
        // A call that has it may be waiting for another process to close the file.
        let is_open = match place.try_lock() {
            Ok(place) => place.is_open(),
            Err(TryLockError::Poisoned(place)) => place.into_inner().is_open(),
            Err(TryLockError::WouldBlock) => true,
        };
        if !is_open || begun.elapsed() >= at_most {
            return !is_open;
        }
        thread::sleep(Duration::from_millis(1));
    }
}

/// A path is one name of its file, whatever the folder one is in, and wherever links point.
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

fn place_of(path: &Path) -> Arc<Mutex<Place>> {
    let mut files = lock(&FILES);
    // Of those that are closed there is nothing to know.
    files.retain(|_, place| Arc::strong_count(place) > 1 || lock(place).is_open());
    Arc::clone(files.entry(path.to_owned()).or_default())
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Waits while another process has it open, for as long as the options say.
fn open_when_free(path: &Path, options: &EngineOptions) -> Result<Database, Failure> {
    let begun = Instant::now();
    loop {
        match Database::open(path, options) {
            Err(failure) if is_taken(&failure) => {
                if begun.elapsed() >= options.connect_timeout {
                    return Err(named(path, &failure.to_string()));
                }
                thread::sleep(Duration::from_millis(20));
            }
            opened => return opened,
        }
    }
}
