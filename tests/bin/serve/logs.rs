//! The two logs.

use sse_conformance::engines::open_url;
use sse_core::{Error, EventLog, LogOptions, StoreOptions, Timer};
use tokio::runtime::{self, Runtime};

use crate::arguments::Arguments;

pub(crate) struct Logs {
    /// The one of `/events` and `/publish`.
    pub(crate) log: EventLog,
    /// The one of `/publish/b`.
    pub(crate) other: EventLog,
}

/// Opens both logs, and runs what follows them in a runtime of its own, since each framework brings another.
pub(crate) fn open(arguments: &Arguments) -> std::io::Result<(Option<Runtime>, Logs)> {
    let (events, bytes) = (arguments.events, arguments.retain_bytes);
    let Some(url) = &arguments.store else {
        let options = LogOptions::new().events(events).bytes(bytes);
        let (log, other) = (EventLog::in_memory(options), EventLog::in_memory(events));
        return Ok((None, Logs { log, other }));
    };
    let mut options = StoreOptions::new().events(events).bytes(bytes);
    options.tail_events = arguments.tail_events.unwrap_or(options.tail_events);
    let runtime = runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let open = async |name| {
        let store = open_url(url, name, options.clone()).await?;
        let timer = Timer::new(|| tokio::time::Instant::now().into_std(), tokio::time::sleep);
        let (log, follower) = EventLog::open(store, options.clone(), timer).await?;
        tokio::spawn(follower);
        Ok::<_, Error>(log)
    };
    let logs = runtime.block_on(async {
        let (log, other) = (open("events").await?, open("other").await?);
        Ok::<_, Error>(Logs { log, other })
    });
    Ok((Some(runtime), logs?))
}
