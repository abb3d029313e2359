use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use async_channel::{Receiver, Sender};
use futures_channel::oneshot;
use sse_core::store::StoreError;

use crate::Options;
use crate::batch::Batch;
use crate::database::{Database, is_taken, named};
use crate::failure::Failure;
use crate::name::LogName;
use crate::worker::{AT_A_TIME, Outcome, Reading, Shared, Work, read, write};

/// Reading goes on while another thread reads something that is not in memory.
const READERS: usize = 2;

/// A file that this process has open, and the way to its threads. They end with it.
pub(crate) struct File {
    shared: Arc<Shared>,
    writes: Sender<Box<dyn Work>>,
    reads: Sender<Reading>,
}

impl File {
    /// Writes, together with all that is to be written at this time. The answer comes once that is on the disk.
    pub(crate) async fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Batch<'_>) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (answer, answered) = oneshot::channel();
        let task = Task { work: Some(work), done: None, answer };
        self.writes.send(Box::new(task)).await.map_err(|_| ended())?;
        let lost =
            |_| Err(StoreError::outcome_unknown("the thread that writes the file has ended"));
        answered.await.unwrap_or_else(lost)
    }

    /// Reads, in another thread.
    pub(crate) async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Database) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (answer, answered) = oneshot::channel();
        let reading: Reading = Box::new(move |database| {
            if !answer.is_canceled() {
                drop(answer.send(work(database)));
            }
        });
        self.reads.send(reading).await.map_err(|_| ended())?;
        let answer = answered.await.map_err(|_| ended())?;
        if answer.is_err() {
            // The writer sees to it that the file is opened anew where it must be. It has work enough where this does not fit in.
            drop(self.writes.try_send(Box::new(Look)));
        }
        answer.map_err(Failure::into_store_error)
    }

    pub(crate) async fn compact(&self) -> Result<bool, StoreError> {
        self.read(Database::compact).await
    }

    /// What says that a log has changed. It ends with the file.
    pub(crate) fn changes(&self, log: LogName) -> Receiver<()> {
        let (told, changes) = async_channel::bounded(1);
        let mut followers = self.shared.followers.lock().unwrap_or_else(PoisonError::into_inner);
        followers.retain(|(_, told)| !told.is_closed());
        followers.push((log, told));
        changes
    }
}

fn ended() -> StoreError {
    StoreError::failed("the threads of the file have ended")
}

/// Something to write, what came of it, and who waits.
struct Task<F, T> {
    work: Option<F>,
    done: Option<Result<T, StoreError>>,
    answer: oneshot::Sender<Result<T, StoreError>>,
}

impl<F, T> Work for Task<F, T>
where
    F: FnOnce(&mut Batch<'_>) -> Result<T, Failure> + Send,
    T: Send,
{
    fn is_wanted(&self) -> bool {
        !self.answer.is_canceled()
    }

    fn run(&mut self, batch: &mut Batch<'_>) -> Result<(), Failure> {
        let Some(work) = self.work.take() else { return Ok(()) };
        self.done = Some(match work(batch) {
            Err(error @ Failure::Engine(_)) => return Err(error),
            done => done.map_err(Failure::into_store_error),
        });
        Ok(())
    }

    fn settle(self: Box<Self>, outcome: &Outcome) {
        let answer = match (outcome, self.done) {
            (Outcome::Stored, Some(done)) => done,
            (Outcome::NotStored(reason), _) => Err(StoreError::failed(reason.clone())),
            (Outcome::Unknown(reason), _) => Err(StoreError::outcome_unknown(reason.clone())),
            (Outcome::Stored, None) => return,
        };
        // Whoever asked may have left.
        drop(self.answer.send(answer));
    }
}

/// A look at whether the file can be written.
struct Look;

impl Work for Look {
    fn is_wanted(&self) -> bool {
        true
    }

    fn run(&mut self, _: &mut Batch<'_>) -> Result<(), Failure> {
        Ok(())
    }

    fn settle(self: Box<Self>, _: &Outcome) {}
}

/// The file at this path: the one that is open already, or else it is opened. In a thread, since it may have to be repaired.
pub(crate) async fn open(path: &Path, options: &Options) -> Result<Arc<File>, StoreError> {
    let (path, options) = (path.to_owned(), *options);
    let (answer, answered) = oneshot::channel();
    thread::Builder::new()
        .name("opens a file".into())
        .spawn(move || drop(answer.send(open_here(&path, &options))))
        .map_err(StoreError::failed)?;
    let opened = answered.await.map_err(|_| ended())?;
    opened.map_err(Failure::into_store_error)
}

/// The files that this process has open, by their paths.
static FILES: Mutex<BTreeMap<PathBuf, Arc<Mutex<Place>>>> = Mutex::new(BTreeMap::new());

/// What is open at a path.
#[derive(Default)]
struct Place {
    file: Weak<File>,
    /// Where the file is in use no more, its writer closes it and ends.
    writer: Option<JoinHandle<()>>,
}

fn open_here(path: &Path, options: &Options) -> Result<Arc<File>, Failure> {
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
    files.retain(|_, place| {
        let is_unused = Arc::strong_count(place) == 1 && {
            let place = lock(place);
            place.file.strong_count() == 0
                && place.writer.as_ref().is_none_or(JoinHandle::is_finished)
        };
        !is_unused
    });
    Arc::clone(files.entry(path.to_owned()).or_default())
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Waits for another process to let go of it, for as long as a log is to wait for its store.
fn open_when_free(path: &Path, options: &Options) -> Result<Database, Failure> {
    let begun = Instant::now();
    loop {
        match Database::open(path, options) {
            Err(failure) if is_taken(&failure) => {
                if begun.elapsed() >= options.log.store_wait {
                    return Err(named(path, &failure.to_string()));
                }
                thread::sleep(Duration::from_millis(20));
            }
            opened => return opened,
        }
    }
}

fn start(database: Database) -> std::io::Result<(Arc<File>, JoinHandle<()>)> {
    let shared = Arc::new(Shared { database, followers: Mutex::default() });
    let (writes, to_write) = async_channel::bounded(AT_A_TIME);
    let (reads, to_read) = async_channel::bounded(AT_A_TIME);
    for _ in 0..READERS {
        let (to_read, shared) = (to_read.clone(), Arc::clone(&shared));
        thread::Builder::new()
            .name("reads events".into())
            .spawn(move || read(&to_read, &shared))?;
    }
    let writer = {
        let shared = Arc::clone(&shared);
        thread::Builder::new()
            .name("writes events".into())
            .spawn(move || write(&to_write, &shared))?
    };
    Ok((Arc::new(File { shared, writes, reads }), writer))
}
