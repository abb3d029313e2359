use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Client, Cmd, FromRedisValue, PushInfo, PushKind, RedisError};
use sse_core::store::StoreError;
use tokio::sync::Mutex;

use crate::failure::{self, is_answer, is_elsewhere};
use crate::node::Nodes;
use crate::request::Request;

/// How often a call is sent on to another node.
const REDIRECTS: usize = 3;

/// The connection of a log, made anew when it is gone.
///
/// It does not try again by itself: whether a call may be repeated is for the log to decide.
#[derive(Debug)]
pub(crate) struct Connections {
    slot: Mutex<Slot>,
    /// How many attempts to connect have begun.
    attempts: AtomicU64,
    connect_timeout: Duration,
    response_timeout: Duration,
}

#[derive(Debug)]
struct Slot {
    nodes: Nodes,
    open: Option<Connection>,
    /// The last attempt that failed.
    failed: Option<(u64, RedisError)>,
}

impl Connections {
    pub(crate) fn new(nodes: Nodes, connect_timeout: Duration, response_timeout: Duration) -> Self {
        let slot = Mutex::new(Slot { nodes, open: None, failed: None });
        Self { slot, attempts: AtomicU64::new(0), connect_timeout, response_timeout }
    }

    /// Asks for this, together with whatever else is asked at the time.
    pub(crate) async fn call<T: FromRedisValue>(
        &self,
        request: impl Into<Request<'_>>,
    ) -> Result<T, StoreError> {
        let request = request.into();
        let mut redirects = 0;
        loop {
            let mut connection = self.get().await.map_err(failure::not_sent)?;
            match request.send(&mut connection.inner).await {
                Ok(answer) => return Ok(answer),
                Err(error) => {
                    let is_redirected = self.leave_if_useless(&connection, &error).await;
                    if !is_redirected || redirects == REDIRECTS {
                        return Err(failure::of_call(error));
                    }
                    redirects += 1;
                }
            }
        }
    }

    /// A connection of one's own, to wait on.
    pub(crate) async fn dedicated(&self) -> Result<Connection, StoreError> {
        // Where the log is, the shared one knows.
        self.get().await.map_err(failure::not_sent)?;
        let nodes = self.slot.lock().await.nodes.current();
        let connecting = Connection::open(nodes, self.connect_timeout, None);
        connecting.await.map_err(failure::not_sent)
    }

    /// How long an answer may take.
    pub(crate) fn response_timeout(&self) -> Duration {
        self.response_timeout
    }

    async fn get(&self) -> Result<Connection, RedisError> {
        let begun = self.attempts.load(SeqCst);
        let mut slot = self.slot.lock().await;
        if let Some(open) = slot.open.as_ref().filter(|open| !open.is_useless()) {
            return Ok(open.clone());
        }
        slot.open = None;
        // One attempt serves all who came before it: they would wait for one another's else.
        if let Some((_, error)) = slot.failed.as_ref().filter(|(attempt, _)| *attempt > begun) {
            return Err(error.clone());
        }
        let attempt = self.attempts.fetch_add(1, SeqCst) + 1;
        let node = slot.nodes.current();
        match Connection::open(node, self.connect_timeout, Some(self.response_timeout)).await {
            Ok(connection) => {
                slot.failed = None;
                slot.open = Some(connection.clone());
                Ok(connection)
            }
            Err(error) => {
                slot.failed = Some((attempt, error.clone()));
                slot.nodes.next();
                Err(error)
            }
        }
    }

    /// Has the next call use another connection where this one will not do. Answers whether another node was named.
    async fn leave_if_useless(&self, connection: &Connection, error: &RedisError) -> bool {
        if is_answer(error) && !is_elsewhere(error) && error.redirect_node().is_none() {
            return false;
        }
        let mut slot = self.slot.lock().await;
        if connection.is_useless.swap(true, SeqCst) {
            // Somebody else has seen to it.
            return error.redirect_node().is_some();
        }
        let is_redirected = slot.nodes.go_where(error);
        if is_elsewhere(error) {
            slot.nodes.next();
        }
        is_redirected
    }
}

/// A connection that many can use at a time.
#[derive(Debug, Clone)]
pub(crate) struct Connection {
    inner: MultiplexedConnection,
    /// It has ended, or does not answer.
    is_useless: Arc<AtomicBool>,
}

impl Connection {
    async fn open(
        node: redis::ConnectionInfo,
        connect_timeout: Duration,
        response_timeout: Option<Duration>,
    ) -> Result<Self, RedisError> {
        let is_useless = Arc::new(AtomicBool::new(false));
        let ended = Arc::clone(&is_useless);
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(connect_timeout))
            .set_response_timeout(response_timeout)
            .set_push_sender(move |push: PushInfo| {
                if push.kind == PushKind::Disconnection {
                    ended.store(true, SeqCst);
                }
                Ok::<(), Infallible>(())
            });
        let client = Client::open(node)?;
        let inner = client.get_multiplexed_async_connection_with_config(&config).await?;
        Ok(Self { inner, is_useless })
    }

    fn is_useless(&self) -> bool {
        self.is_useless.load(SeqCst)
    }

    pub(crate) async fn call<T: FromRedisValue>(
        &mut self,
        request: impl Into<Request<'_>>,
    ) -> Result<T, StoreError> {
        request.into().send(&mut self.inner).await.map_err(failure::of_call)
    }

    pub(crate) async fn ask<T: FromRedisValue>(&mut self, command: &Cmd) -> Result<T, StoreError> {
        command.query_async(&mut self.inner).await.map_err(failure::of_call)
    }
}
