use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Client, ConnectionInfo, PushInfo, PushKind, RedisError};
use tokio::sync::Mutex;

/// A connection that many can use at a time.
#[derive(Debug, Clone)]
pub(crate) struct Wire {
    pub(crate) inner: MultiplexedConnection,
    /// It has ended, or does not answer.
    is_useless: Arc<AtomicBool>,
}

impl Wire {
    /// Connects. What Redis tells by itself, and that the connection has ended, is given to `hears`.
    pub(crate) async fn open(
        node: &ConnectionInfo,
        within: Duration,
        hears: impl Fn(&PushInfo) + Send + Sync + 'static,
    ) -> Result<Self, RedisError> {
        let is_useless = Arc::new(AtomicBool::new(false));
        let ended = Arc::clone(&is_useless);
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(within))
            // How long an answer may take depends on what is asked.
            .set_response_timeout(None)
            .set_push_sender(move |push: PushInfo| {
                if push.kind == PushKind::Disconnection {
                    ended.store(true, SeqCst);
                }
                hears(&push);
                Ok::<(), Infallible>(())
            });
        #[cfg(feature = "tls")]
        if crate::tls::is_wanted(node) {
            let inner = crate::tls::connect(node, within, config).await?;
            return Ok(Self { inner, is_useless });
        }
        let client = Client::open(node.clone())?;
        let inner = client.get_multiplexed_async_connection_with_config(&config).await?;
        Ok(Self { inner, is_useless })
    }

    pub(crate) fn is_useless(&self) -> bool {
        self.is_useless.load(SeqCst)
    }

    /// Has the next call use another connection.
    pub(crate) fn leave(&self) {
        self.is_useless.store(true, SeqCst);
    }
}

/// A place for a connection, which is made again when it is gone.
///
/// It does not try again by itself: whether a call may be repeated is for the log to decide.
#[derive(Debug, Default)]
pub(crate) struct Slot {
    state: Mutex<State>,
    /// How many attempts to connect have begun.
    attempts: AtomicU64,
}

#[derive(Debug, Default)]
struct State {
    open: Option<Wire>,
    /// The last attempt that failed.
    failed: Option<(u64, RedisError)>,
}

impl Slot {
    pub(crate) async fn get(
        &self,
        connect: impl AsyncFnOnce() -> Result<Wire, RedisError>,
    ) -> Result<Wire, RedisError> {
        let begun = self.attempts.load(SeqCst);
        let mut state = self.state.lock().await;
        if let Some(open) = state.open.as_ref().filter(|open| !open.is_useless()) {
            return Ok(open.clone());
        }
        state.open = None;
        // One attempt serves all who came before it: they would wait for one another's else.
        if let Some((_, error)) = state.failed.as_ref().filter(|(attempt, _)| *attempt > begun) {
            return Err(error.clone());
        }
        let attempt = self.attempts.fetch_add(1, SeqCst) + 1;
        match connect().await {
            Ok(wire) => {
                state.failed = None;
                state.open = Some(wire.clone());
                Ok(wire)
            }
            Err(error) => {
                state.failed = Some((attempt, error.clone()));
                Err(error)
            }
        }
    }

    /// The connection, if there is one that nobody is making at the moment.
    pub(crate) fn open(&self) -> Option<Wire> {
        let state = self.state.try_lock().ok()?;
        state.open.clone().filter(|open| !open.is_useless())
    }

    /// Has the connection closed once those have their answers that wait for one.
    pub(crate) fn leave(&self) {
        if let Ok(mut state) = self.state.try_lock()
            && let Some(open) = state.open.take()
        {
            open.leave();
        }
    }
}
