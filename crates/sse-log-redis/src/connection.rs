use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Client, ConnectionInfo, PushInfo, PushKind, RedisError};
use tokio::sync::Mutex;

/// A connection that many calls can use at a time.
#[derive(Debug, Clone)]
pub(crate) struct Connection {
    pub(crate) inner: MultiplexedConnection,
    /// True if the connection has ended, or does not reply.
    is_retired: Arc<AtomicBool>,
    /// The id of the server's process, by which the log recognizes that another has taken over; empty if the user may not read it.
    pub(crate) process: Arc<str>,
}

impl Connection {
    /// Connects. Calls `on_push` with each message that Redis pushes, and when the connection ends.
    pub(crate) async fn open(
        node: &ConnectionInfo,
        within: Duration,
        on_push: impl Fn(&PushInfo) + Send + Sync + 'static,
    ) -> Result<Self, RedisError> {
        let is_retired = Arc::new(AtomicBool::new(false));
        let ended = Arc::clone(&is_retired);
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(within))
            // Each call has a timeout of its own.
            .set_response_timeout(None)
            .set_push_sender(move |push: PushInfo| {
                if push.kind == PushKind::Disconnection {
                    ended.store(true, SeqCst);
                }
                on_push(&push);
                Ok::<(), Infallible>(())
            });
        #[cfg(feature = "tls")]
        if crate::tls::is_required(node) {
            let inner = crate::tls::connect(node, within, config).await?;
            return Ok(Self { inner, is_retired, process: Arc::default() });
        }
        let client = Client::open(node.clone())?;
        let inner = client.get_multiplexed_async_connection_with_config(&config).await?;
        Ok(Self { inner, is_retired, process: Arc::default() })
    }

    pub(crate) fn is_retired(&self) -> bool {
        self.is_retired.load(SeqCst)
    }

    /// Retires the connection: the next call uses another.
    pub(crate) fn retire(&self) {
        self.is_retired.store(true, SeqCst);
    }
}

/// A slot for one connection. It connects again if the connection has ended.
///
/// It does not repeat a call: the log decides whether a call may be repeated.
#[derive(Debug, Default)]
pub(crate) struct Slot {
    state: Mutex<State>,
    /// The number of attempts to connect that have begun.
    attempts: AtomicU64,
}

#[derive(Debug, Default)]
struct State {
    open: Option<Connection>,
    /// The number and the error of the last attempt that failed.
    failed: Option<(u64, RedisError)>,
}

impl Slot {
    /// Returns the open connection, or connects.
    pub(crate) async fn get(
        &self,
        connect: impl AsyncFnOnce() -> Result<Connection, RedisError>,
    ) -> Result<Connection, RedisError> {
        let begun = self.attempts.load(SeqCst);
        let mut state = self.state.lock().await;
        if let Some(open) = state.open.as_ref().filter(|open| !open.is_retired()) {
            return Ok(open.clone());
        }
        state.open = None;
        // One attempt serves all calls that came before it: otherwise each would wait for the attempts of the others.
        if let Some((_, error)) = state.failed.as_ref().filter(|(attempt, _)| *attempt > begun) {
            return Err(error.clone());
        }
        let attempt = self.attempts.fetch_add(1, SeqCst) + 1;
        match connect().await {
            Ok(connection) => {
                state.failed = None;
                state.open = Some(connection.clone());
                Ok(connection)
            }
            Err(error) => {
                state.failed = Some((attempt, error.clone()));
                Err(error)
            }
        }
    }

    /// Returns the open connection, if there is one and no call is connecting.
    pub(crate) fn open(&self) -> Option<Connection> {
        let state = self.state.try_lock().ok()?;
        state.open.clone().filter(|open| !open.is_retired())
    }

    /// Retires the connection. It closes after the calls that wait for a reply have ended.
    pub(crate) fn close(&self) {
        if let Ok(mut state) = self.state.try_lock()
            && let Some(open) = state.open.take()
        {
            open.retire();
        }
    }
}
