use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use redis::{ConnectionInfo, RedisError, Value, cmd};
use sse_core::store::StoreError;
use tokio::time::timeout;

use crate::connection::{Connection, Slot};
use crate::error::{from_sent_call, from_unsent_call, is_reply};
use crate::notifications::{Followers, Signal};
use crate::server_check;

/// The number of connections for large calls.
const LARGE: usize = 4;
/// The time within which a server must reply to a call about itself.
const REPLY_WITHIN: Duration = Duration::from_millis(4500);
/// The time for which a check of the server's memory holds: many logs that are opened together need one.
const MEMORY_CHECK_HOLDS: Duration = Duration::from_millis(500);

/// The kind of connection that a call uses. A large call does not delay a small one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lane {
    Small,
    Large,
}

/// The connections to one server, at most six. All logs share them.
#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) node: ConnectionInfo,
    connect_timeout: Duration,
    small: Slot,
    /// The connections for large calls, each with the number of calls that use it.
    large: [(Slot, Arc<AtomicUsize>); LARGE],
    /// The connection by which Redis notifies of changes.
    notifications: Slot,
    followers: Arc<Followers>,
    /// The ids of the server and of its history. If they change, the server may have another history than before.
    identity: Mutex<Option<String>>,
    /// The last time that a check has shown that the server does not evict events.
    memory_checked: Mutex<Option<Instant>>,
}

/// A connection for the time of one call.
pub(crate) struct Lease {
    pub(crate) connection: Connection,
    calls: Option<Arc<AtomicUsize>>,
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.calls.iter().for_each(|calls| _ = calls.fetch_sub(1, SeqCst));
    }
}

impl Server {
    pub(crate) fn new(node: ConnectionInfo, connect_timeout: Duration) -> Self {
        Self {
            node,
            connect_timeout,
            small: Slot::default(),
            large: Default::default(),
            notifications: Slot::default(),
            followers: Arc::default(),
            identity: Mutex::default(),
            memory_checked: Mutex::default(),
        }
    }

    /// Returns a connection for a call. A large call gets the one with the fewest calls.
    pub(crate) async fn connection(&self, lane: Lane) -> Result<Lease, RedisError> {
        let small = self.small().await?;
        if lane == Lane::Small {
            return Ok(Lease { connection: small, calls: None });
        }
        let least = self.large.iter().min_by_key(|(_, calls)| calls.load(SeqCst));
        let (slot, calls) = least.expect("there are four");
        calls.fetch_add(1, SeqCst);
        let mut lease = Lease { connection: small, calls: Some(Arc::clone(calls)) };
        let connect = async || {
            let mut connection = Connection::open(&self.node, self.connect_timeout, |_| {}).await?;
            identify(&mut connection).await?;
            Ok(connection)
        };
        lease.connection = slot.get(connect).await?;
        Ok(lease)
    }

    async fn small(&self) -> Result<Connection, RedisError> {
        let connect = async || {
            let mut connection = Connection::open(&self.node, self.connect_timeout, |_| {}).await?;
            let checked = timeout(REPLY_WITHIN, server_check::check_version(&mut connection)).await;
            checked.unwrap_or_else(|_| Err(no_reply()))?;
            identify(&mut connection).await?;
            Ok(connection)
        };
        self.small.get(connect).await
    }

    /// Returns a signal that wakes a follower when the log of this stream changes.
    pub(crate) async fn listen(&self, stream: &str) -> Result<Arc<Signal>, StoreError> {
        let signal = self.followers.add(stream);
        self.subscribe(stream).await?;
        Ok(signal)
    }

    async fn subscribe(&self, stream: &str) -> Result<(), StoreError> {
        let connect = async || {
            let followers = Arc::clone(&self.followers);
            let on_push = move |push: &redis::PushInfo| followers.on_push(push);
            Connection::open(&self.node, self.connect_timeout, on_push).await
        };
        let mut connection = self.notifications.get(connect).await.map_err(from_unsent_call)?;
        let subscribing = call(&mut connection, cmd("SSUBSCRIBE").arg(stream)).await;
        subscribing.map_err(from_sent_call).map(drop)
    }

    /// Checks that the server does not evict events, unless a check has just shown it: the setting can change.
    pub(crate) async fn check_memory(&self) -> Result<(), StoreError> {
        let last = *self.memory_checked.lock().unwrap_or_else(PoisonError::into_inner);
        if last.is_none_or(|last| last.elapsed() > MEMORY_CHECK_HOLDS) {
            let begun = Instant::now();
            let mut small = self.small().await.map_err(from_unsent_call)?;
            let checked =
                timeout(REPLY_WITHIN, server_check::check_memory(&mut small, self.node.addr()))
                    .await;
            checked.unwrap_or_else(|_| Err(no_reply())).map_err(from_unsent_call)?;
            *self.memory_checked.lock().unwrap_or_else(PoisonError::into_inner) = Some(begun);
        }
        Ok(())
    }

    /// Checks the identity of the server and its notifications. If the identity has changed, all followers begin again.
    /// Returns true if the server is a master.
    pub(crate) async fn check(&self) -> bool {
        let Some(mut small) = self.small.open() else { return true };
        let info = call(&mut small, cmd("INFO").arg("server").arg("replication")).await;
        let mut is_master = true;
        match info.map(|reply| redis::from_redis_value::<String>(reply).unwrap_or_default()) {
            Ok(info) => {
                is_master = server_check::info_field(&info, "role") != Some("slave");
                let part = |name| server_check::info_field(&info, name).unwrap_or_default();
                let now = format!("{} {}", part("run_id"), part("master_replid"));
                let mut known = self.identity.lock().unwrap_or_else(PoisonError::into_inner);
                if known.replace(now.clone()).is_some_and(|before| before != now) {
                    self.followers.end_all();
                }
            }
            // The user may not run `INFO`.
            Err(error) if is_reply(&error) => {}
            Err(_) => self.close(),
        }
        self.check_notifications().await;
        is_master
    }

    async fn check_notifications(&self) {
        let Some(mut connection) = self.notifications.open() else { return };
        if call(&mut connection, &cmd("PING")).await.is_err_and(|error| !is_reply(&error)) {
            connection.retire();
            self.followers.end_all();
            return;
        }
        for channel in self.followers.remove_unused_channels() {
            if call(&mut connection, cmd("SUNSUBSCRIBE").arg(&channel)).await.is_err() {
                return;
            }
            // A follower may have subscribed meanwhile.
            let following = self.followers.signals(Some(channel.clone()));
            if !following.is_empty() && self.subscribe(&channel).await.is_ok() {
                following.iter().for_each(|signal| signal.notify());
            }
        }
    }

    /// Closes all connections: the engine switches to another server, or this one does not reply.
    pub(crate) fn close(&self) {
        self.small.close();
        self.large.iter().for_each(|(slot, _)| slot.close());
        self.notifications.close();
        self.followers.end_all();
    }
}

/// Asks a new connection for the id of the server's process.
async fn identify(connection: &mut Connection) -> Result<(), RedisError> {
    let asking = timeout(REPLY_WITHIN, server_check::process(connection)).await;
    connection.process = asking.unwrap_or_else(|_| Err(no_reply()))?;
    Ok(())
}

async fn call(connection: &mut Connection, command: &redis::Cmd) -> Result<Value, RedisError> {
    let calling = timeout(REPLY_WITHIN, command.query_async(&mut connection.inner));
    calling.await.unwrap_or_else(|_| Err(no_reply()))
}

fn no_reply() -> RedisError {
    let reason = format!("Redis did not reply within {REPLY_WITHIN:?}");
    std::io::Error::new(std::io::ErrorKind::TimedOut, reason).into()
}
