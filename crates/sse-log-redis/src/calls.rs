use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use redis::{
    ConnectionInfo, ErrorKind, FromRedisValue, Pipeline, RedisError, Script, ScriptInvocation,
    ServerErrorKind,
};
use sse_core::store::StoreError;
use tokio::time::timeout;

use crate::address;
use crate::connection::Connection;
use crate::engine::EngineCore;
use crate::error::{self, is_for_another_server, is_reply, no_reply};
use crate::server::{Lane, Server};

/// The limit of redirections of a call. If the URL names more servers, a call may go to each of them.
const REDIRECTS: usize = 3;

/// The sender of one log's calls. It sends them to the server that has the log.
#[derive(Debug)]
pub(crate) struct Caller {
    pub(crate) engine: Arc<EngineCore>,
    /// The node to which a cluster has redirected this log.
    moved: Mutex<Option<ConnectionInfo>>,
    /// The time within which a reply must come.
    pub(crate) timeout: Duration,
}

/// A call to Redis.
pub(crate) enum Request<'a> {
    /// A script, which runs at one moment.
    Script(&'a ScriptInvocation<'a>),
    /// A script that is made for the server's process with this id.
    OfProcess(&'a (dyn Fn(&str) -> ScriptInvocation<'a> + Sync)),
    /// Commands that run one after the other, and the script that one of them runs.
    Pipeline(&'a Pipeline, &'a Script),
}

impl Caller {
    pub(crate) fn new(engine: Arc<EngineCore>, timeout: Duration) -> Self {
        Self { engine, moved: Mutex::default(), timeout }
    }

    /// Returns the server that has the log, as far as this process knows.
    pub(crate) fn server(&self) -> Arc<Server> {
        let moved = self.moved.lock().unwrap_or_else(PoisonError::into_inner);
        let servers = &self.engine.servers;
        moved.as_ref().map_or_else(|| servers.current(), |node| servers.get(node))
    }

    /// Sends a request and returns the reply. Calls that run at the same time share a connection.
    pub(crate) async fn call<T: FromRedisValue>(
        &self,
        lane: Lane,
        request: impl Into<Request<'_>>,
    ) -> Result<T, StoreError> {
        self.call_within(self.timeout, lane, request).await
    }

    pub(crate) async fn call_within<T: FromRedisValue>(
        &self,
        within: Duration,
        lane: Lane,
        request: impl Into<Request<'_>>,
    ) -> Result<T, StoreError> {
        let request = request.into();
        let mut left = REDIRECTS.max(self.engine.servers.count() - 1);
        loop {
            let server = self.server();
            let mut lease = match server.connection(lane).await {
                Ok(lease) => lease,
                Err(error) => {
                    if !self.switch_from(&server) || left == 0 {
                        return Err(error::from_unsent_call(error));
                    }
                    left -= 1;
                    continue;
                }
            };
            let error = match timeout(within, request.send(&mut lease.connection)).await {
                Ok(Ok(reply)) => return Ok(reply),
                Ok(Err(error)) => error,
                Err(_) => {
                    lease.connection.retire();
                    return Err(no_reply(within));
                }
            };
            if !is_reply(&error) {
                lease.connection.retire();
            }
            if !self.redirect(&server, &error) || left == 0 {
                return Err(error::from_sent_call(error));
            }
            left -= 1;
        }
    }

    /// Returns true if another server may accept what this one has refused; the next call then goes to that server.
    fn redirect(&self, server: &Arc<Server>, error: &RedisError) -> bool {
        if let Some(node) = address::moved_to(&server.node, error) {
            *self.moved.lock().unwrap_or_else(PoisonError::into_inner) = Some(node);
            return true;
        }
        is_for_another_server(error)
            && (self.switch_from(server) || {
                self.engine.servers.reconnect(server);
                false
            })
    }

    /// Switches to another server, and forgets a redirection of the cluster. Returns true if there is another server.
    fn switch_from(&self, server: &Arc<Server>) -> bool {
        let was_moved = self.moved.lock().unwrap_or_else(PoisonError::into_inner).take().is_some();
        self.engine.servers.switch_from(server) || was_moved
    }
}

impl Request<'_> {
    /// Sends the request. Loads the script again if Redis has lost it in a restart.
    async fn send<T: FromRedisValue>(&self, connection: &mut Connection) -> Result<T, RedisError> {
        let Connection { inner: connection, process, .. } = connection;
        match self {
            Self::OfProcess(script) => script(process).invoke_async(connection).await,
            Self::Script(script) => script.invoke_async(connection).await,
            Self::Pipeline(pipeline, script) => {
                match pipeline.query_async(connection).await.map_err(first_error) {
                    Err(error) if error.kind() == ErrorKind::Server(ServerErrorKind::NoScript) => {
                        script.load_async(connection).await?;
                        pipeline.query_async(connection).await.map_err(first_error)
                    }
                    reply => reply,
                }
            }
        }
    }
}

/// Returns the first error of a pipeline.
fn first_error(error: RedisError) -> RedisError {
    let errors = error.clone().into_server_errors();
    let first = errors.and_then(|errors| errors.first().map(|(_, error)| error.clone()));
    first.map_or(error, RedisError::from)
}

impl<'a> From<&'a ScriptInvocation<'a>> for Request<'a> {
    fn from(script: &'a ScriptInvocation<'a>) -> Self {
        Self::Script(script)
    }
}
