use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use redis::{ConnectionInfo, RedisError, Value, cmd};
use sse_core::store::StoreError;
use tokio::time::timeout;

use crate::failure;
use crate::greeting;
use crate::hub::{Hub, Signal};
use crate::wire::{Slot, Wire};

/// How many connections carry what is large.
const LARGE: usize = 4;
/// How long the answer to a question about the server itself may take.
const ANSWER: Duration = Duration::from_millis(4500);

/// Which connections a call goes by: what is large does not hold up what is small.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lane {
    Small,
    Large,
}

/// The connections to one server, which all logs share: at most six.
#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) node: ConnectionInfo,
    connect_timeout: Duration,
    small: Slot,
    large: [(Slot, Arc<AtomicUsize>); LARGE],
    /// Redis tells of changes here.
    news: Slot,
    hub: Arc<Hub>,
    /// Which server it is: when that changes another history may have taken the place of the one we know.
    identity: Mutex<Option<String>>,
    /// Whether it is known not to evict events.
    keeps_all: AtomicBool,
}

/// A connection for one call.
pub(crate) struct Call {
    pub(crate) wire: Wire,
    busy: Option<Arc<AtomicUsize>>,
}

impl Drop for Call {
    fn drop(&mut self) {
        self.busy.iter().for_each(|busy| _ = busy.fetch_sub(1, SeqCst));
    }
}

impl Server {
    pub(crate) fn new(node: ConnectionInfo, connect_timeout: Duration) -> Self {
        Self {
            node,
            connect_timeout,
            small: Slot::default(),
            large: Default::default(),
            news: Slot::default(),
            hub: Arc::default(),
            identity: Mutex::default(),
            keeps_all: AtomicBool::new(false),
        }
    }

    pub(crate) async fn wire(&self, lane: Lane) -> Result<Call, RedisError> {
        let small = self.small().await?;
        if lane == Lane::Small {
            return Ok(Call { wire: small, busy: None });
        }
        let least = self.large.iter().min_by_key(|(_, busy)| busy.load(SeqCst));
        let (slot, busy) = least.expect("there are four");
        busy.fetch_add(1, SeqCst);
        let mut call = Call { wire: small, busy: Some(Arc::clone(busy)) };
        call.wire = slot.get(|| Wire::open(&self.node, self.connect_timeout, |_| {})).await?;
        Ok(call)
    }

    async fn small(&self) -> Result<Wire, RedisError> {
        let connect = async || {
            let mut wire = Wire::open(&self.node, self.connect_timeout, |_| {}).await?;
            let checked = timeout(ANSWER, greeting::check(&mut wire)).await;
            checked.unwrap_or_else(|_| Err(no_answer()))?;
            Ok(wire)
        };
        self.small.get(connect).await
    }

    /// Has a follower woken when something changes in the log of this stream.
    pub(crate) async fn listen(&self, stream: &str) -> Result<Arc<Signal>, StoreError> {
        let signal = self.hub.join(stream);
        self.subscribe(stream).await?;
        Ok(signal)
    }

    async fn subscribe(&self, stream: &str) -> Result<(), StoreError> {
        let connect = async || {
            let hub = Arc::clone(&self.hub);
            Wire::open(&self.node, self.connect_timeout, move |push| hub.hears(push)).await
        };
        let mut news = self.news.get(connect).await.map_err(failure::not_sent)?;
        ask(&mut news, cmd("SSUBSCRIBE").arg(stream)).await.map_err(failure::of_call).map(drop)
    }

    /// Refuses a server that evicts events.
    pub(crate) async fn check_memory(&self) -> Result<(), StoreError> {
        if !self.keeps_all.load(SeqCst) {
            let mut small = self.small().await.map_err(failure::not_sent)?;
            let checked = timeout(ANSWER, greeting::check_memory(&mut small)).await;
            checked.unwrap_or_else(|_| Err(no_answer())).map_err(failure::not_sent)?;
            self.keeps_all.store(true, SeqCst);
        }
        Ok(())
    }

    /// Asks which server it is, and whether it tells of changes still. When it is another, all followers begin again. Answers
    /// whether it is a master.
    pub(crate) async fn check(&self) -> bool {
        let Some(mut small) = self.small.open() else { return true };
        let question = ask(&mut small, cmd("INFO").arg("server").arg("replication")).await;
        let mut is_master = true;
        match question.map(|answer| redis::from_redis_value::<String>(answer).unwrap_or_default()) {
            Ok(info) => {
                is_master = greeting::value(&info, "role") != Some("slave");
                let part = |name| greeting::value(&info, name).unwrap_or_default();
                let now = format!("{} {}", part("run_id"), part("master_replid"));
                let mut known = self.identity.lock().unwrap_or_else(PoisonError::into_inner);
                if known.replace(now.clone()).is_some_and(|before| before != now) {
                    self.hub.end_all();
                }
            }
            // A user who may not ask.
            Err(error) if failure::is_answer(&error) => {}
            Err(_) => self.leave(),
        }
        self.check_news().await;
        is_master
    }

    async fn check_news(&self) {
        let Some(mut news) = self.news.open() else { return };
        if ask(&mut news, &cmd("PING")).await.is_err_and(|error| !failure::is_answer(&error)) {
            news.leave();
            self.hub.end_all();
            return;
        }
        for channel in self.hub.unheard() {
            if ask(&mut news, cmd("SUNSUBSCRIBE").arg(&channel)).await.is_err() {
                return;
            }
            // Somebody may have come meanwhile.
            let listening = self.hub.of(Some(channel.clone()));
            if !listening.is_empty() && self.subscribe(&channel).await.is_ok() {
                listening.iter().for_each(|signal| signal.notify());
            }
        }
    }

    /// Closes all connections: another server is to be used, or this one does not answer.
    pub(crate) fn leave(&self) {
        self.small.leave();
        self.large.iter().for_each(|(slot, _)| slot.leave());
        self.news.leave();
        self.hub.end_all();
    }
}

async fn ask(wire: &mut Wire, command: &redis::Cmd) -> Result<Value, RedisError> {
    let asking = timeout(ANSWER, command.query_async(&mut wire.inner));
    asking.await.unwrap_or_else(|_| Err(no_answer()))
}

fn no_answer() -> RedisError {
    let error = std::io::Error::new(std::io::ErrorKind::TimedOut, "Redis does not answer");
    error.into()
}
