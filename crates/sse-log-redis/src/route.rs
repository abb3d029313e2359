use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use redis::{ConnectionInfo, FromRedisValue, RedisError};
use sse_core::store::StoreError;
use tokio::time::timeout;

use crate::engine::Inner;
use crate::failure::{self, is_answer, is_elsewhere};
use crate::node;
use crate::request::Request;
use crate::server::{Lane, Server};

/// How often a call is sent on to another node, if it is not sent to each that the URL names.
const REDIRECTS: usize = 3;

/// The way to the server that has a log.
#[derive(Debug)]
pub(crate) struct Route {
    pub(crate) engine: Arc<Inner>,
    /// Where a cluster has sent us.
    moved: Mutex<Option<ConnectionInfo>>,
    /// How long an answer may take.
    pub(crate) timeout: Duration,
}

impl Route {
    pub(crate) fn new(engine: Arc<Inner>, timeout: Duration) -> Self {
        Self { engine, moved: Mutex::default(), timeout }
    }

    pub(crate) fn server(&self) -> Arc<Server> {
        let moved = self.moved.lock().unwrap_or_else(PoisonError::into_inner);
        let nodes = &self.engine.nodes;
        moved.as_ref().map_or_else(|| nodes.current(), |node| nodes.at(node))
    }

    /// Asks for this, together with whatever else is asked at the time.
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
        let mut left = REDIRECTS.max(self.engine.nodes.count() - 1);
        loop {
            let server = self.server();
            let mut call = match server.wire(lane).await {
                Ok(call) => call,
                Err(error) => {
                    if !self.go_on(&server) || left == 0 {
                        return Err(failure::not_sent(error));
                    }
                    left -= 1;
                    continue;
                }
            };
            let error = match timeout(within, request.send(&mut call.wire.inner)).await {
                Ok(Ok(answer)) => return Ok(answer),
                Ok(Err(error)) => error,
                Err(_) => {
                    call.wire.leave();
                    return Err(no_answer(within));
                }
            };
            if !is_answer(&error) {
                call.wire.leave();
            }
            if !self.is_to_be_sent_on(&server, &error) || left == 0 {
                return Err(failure::of_call(error));
            }
            left -= 1;
        }
    }

    /// Whether another server may do what this one has refused.
    fn is_to_be_sent_on(&self, server: &Arc<Server>, error: &RedisError) -> bool {
        if let Some(node) = node::moved_to(&server.node, error) {
            *self.moved.lock().unwrap_or_else(PoisonError::into_inner) = Some(node);
            return true;
        }
        is_elsewhere(error)
            && (self.go_on(server) || {
                self.engine.nodes.try_again(server);
                false
            })
    }

    /// Turns to another server, if there is one. One to which a cluster has sent us is forgotten.
    fn go_on(&self, server: &Arc<Server>) -> bool {
        let was_moved = self.moved.lock().unwrap_or_else(PoisonError::into_inner).take().is_some();
        self.engine.nodes.go_on(server) || was_moved
    }
}

pub(crate) fn no_answer(within: Duration) -> StoreError {
    StoreError::outcome_unknown(format!("Redis has not answered within {within:?}"))
}
