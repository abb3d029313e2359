use async_nats::ConnectOptions;
use sse_core::{Error, EventLog, StoreOptions, Timer};

use crate::{Engine, EngineOptions, NatsStore};

/// Returns the engine of this URL, whose logs share its connections. It connects when a log is first used.
///
/// `url` is `nats://[user:password@]host[:port]`, `nats://token@…`, `tls://…`, or several of one cluster with commas between them, each with its own user.
/// Special characters in a URL are percent-encoded.
///
/// # Errors
///
/// [`is_store`](Error::is_store) if the URL, the prefix or the domain is invalid.
///
/// # Cancel safety
///
/// Nothing has happened when it is dropped.
pub async fn connect(url: &str, options: EngineOptions) -> Result<Engine, Error> {
    connect_with(url, connect_options(), options).await
}

/// The same, with connections that are made like this: with certificates, say, or [an nkey or a JWT](crate#tls).
///
/// The timeouts, the interval of pings, the reconnection and the event callback are replaced by the engine's own. The options must not be
/// `retry_on_initial_connect` or `no_echo`.
///
/// # Errors
///
/// As for [`connect`].
///
/// # Cancel safety
///
/// As for [`connect`].
pub async fn connect_with(
    url: &str,
    connect: ConnectOptions,
    options: EngineOptions,
) -> Result<Engine, Error> {
    Engine::new(url, connect, options)
}

/// Opens the log of this name, and follows it: what this and all other processes append comes to the streams of this one.
///
/// `url` is as for [`connect`]; logs that are opened with the same URL in one runtime share an [`Engine`]. The name is 1 to 64 of `[A-Za-z0-9_-]`. Call it within a tokio runtime,
/// which runs the follower for as long as the log is in use.
///
/// # Errors
///
/// [`is_store`](Error::is_store) if the URL or the name is invalid, if NATS cannot be reached, if it is older than 2.10, and if it has no JetStream.
///
/// # Cancel safety
///
/// The log may have been created.
pub async fn open(url: &str, name: &str) -> Result<EventLog, Error> {
    open_with(url, name, EngineOptions::default(), StoreOptions::default()).await
}

/// The same, with these options; logs share an [`Engine`] if its options are equal, too. With a [`StoreOptions::store_wait`] it waits for a NATS that is
/// down.
///
/// # Errors
///
/// As for [`open`].
///
/// # Cancel safety
///
/// As for [`open`].
pub async fn open_with(
    url: &str,
    name: &str,
    engine: EngineOptions,
    options: StoreOptions,
) -> Result<EventLog, Error> {
    Engine::shared(url, engine)?.open(name, options).await
}

/// The same, of a store of an [`Engine`], with the options that it was given.
///
/// # Errors
///
/// As for [`open`].
///
/// # Cancel safety
///
/// As for [`open`].
pub async fn open_store(store: NatsStore) -> Result<EventLog, Error> {
    let (timer, options) = (
        Timer::new(|| tokio::time::Instant::now().into_std(), tokio::time::sleep),
        store.0.options,
    );
    let (log, follower) = EventLog::open(store, options, timer).await?;
    tokio::spawn(follower);
    Ok(log)
}

pub(crate) fn connect_options() -> ConnectOptions {
    ConnectOptions::new().name("sse-log-nats")
}
