//! A process of an application, as far as its log goes.

use std::time::Duration;

use sse_core::{Error, EventLog, Timer};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};

use crate::faults::Subject;
use crate::options::log_options;

/// The time that it may take to open the log, once nothing is in its way.
const OPENS_WITHIN: Duration = Duration::from_secs(30);

#[derive(Debug)]
pub(crate) struct Process {
    /// The number of its line.
    number: usize,
    /// None while it does not run. A user of the log looks here if it is still the same.
    log: watch::Sender<Option<Running>>,
}

#[derive(Debug, Clone)]
pub(crate) struct Running {
    pub(crate) log: EventLog,
    follower: std::sync::Arc<Follower>,
}

#[derive(Debug)]
struct Follower(JoinHandle<()>);

impl Drop for Follower {
    fn drop(&mut self) {
        self.0.abort();
    }
}

pub(crate) fn timer() -> Timer {
    Timer::new(|| Instant::now().into_std(), sleep)
}

impl Process {
    /// One that does not run yet.
    pub(crate) fn new(number: usize) -> Self {
        Self { number, log: watch::channel(None).0 }
    }

    /// Its log, and word of its end.
    pub(crate) fn log(&self) -> Option<(EventLog, watch::Receiver<Option<Running>>)> {
        let mut running = self.log.subscribe();
        let log = running.borrow_and_update().as_ref().map(|running| running.log.clone())?;
        Some((log, running))
    }

    /// Ends it as `kill -9` would: nothing it has begun goes on.
    pub(crate) fn end(&self) {
        if let Some(running) = self.log.send_replace(None) {
            running.follower.0.abort();
        }
    }

    /// Starts it, however often the log has to be opened.
    pub(crate) async fn start(&self, subject: &dyn Subject) -> Result<(), String> {
        let begun = Instant::now();
        loop {
            let opened = tokio::time::timeout(OPENS_WITHIN, self.open(subject)).await;
            let error = match opened {
                Ok(Ok(running)) => {
                    self.log.send_replace(Some(running));
                    return Ok(());
                }
                Ok(Err(error)) => format!("{error:?}"),
                Err(_) => "no answer".into(),
            };
            if begun.elapsed() > OPENS_WITHIN {
                return Err(format!("process {} cannot open the log: {error}", self.number));
            }
            sleep(Duration::from_millis(50)).await;
        }
    }

    async fn open(&self, subject: &dyn Subject) -> Result<Running, Error> {
        let store = subject.open(self.number, log_options(subject)).await?;
        let (log, follower) = EventLog::open(store, log_options(subject), timer()).await?;
        Ok(Running { log, follower: Follower(tokio::spawn(follower)).into() })
    }
}
