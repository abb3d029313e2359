use std::sync::Arc;
use std::time::Duration;

use sse_core::store::LogName;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, sleep_until, timeout};

use crate::connect::{Hear, Server};
use crate::connection::Connection;
use crate::error::{Cause, Failure};
use crate::names::{self, LISTEN};
use crate::position::{epoch, position};
use crate::session::Timeouts;
use crate::subscription::{Subscription, Subscriptions, Top};

const POLL: &str = include_str!("sql/ask.sql");
const TOPS: &str = include_str!("sql/tops.sql");
/// Maximum number of requests in the queue. Further requests wait until it has room.
const WAITING: usize = 64;
/// Maximum time for the answer to a poll.
const WITHIN: Duration = Duration::from_secs(4);
/// Time for which the listener keeps its connection while no log is followed.
const IDLE: Duration = Duration::from_secs(60);

/// A request to follow a log.
struct Request {
    name: LogName,
    answer: oneshot::Sender<Result<Subscription, Failure>>,
}

/// The listener of all logs of an engine. It opens one connection when a log is followed.
#[derive(Debug)]
pub(crate) struct Listener {
    requests: mpsc::Sender<Request>,
}

impl Listener {
    /// Returns the listener, and its task, which the caller spawns. The task ends when the listener is dropped.
    pub(crate) fn new(
        server: Arc<Server>,
        subscriptions: Arc<Subscriptions>,
        poll_every: Duration,
        on_new_server: impl Fn() + Send + 'static,
    ) -> (Self, impl Future<Output = ()> + Send) {
        let (requests, queue) = mpsc::channel(WAITING);
        let poll_every = poll_every.max(Duration::from_millis(1));
        let task = ListenTask { server, subscriptions, poll_every, queue };
        (Self { requests }, task.run(on_new_server))
    }

    /// Subscribes a follower to a log. Returns once the connection listens.
    pub(crate) async fn subscribe(&self, name: &LogName) -> Result<Subscription, Failure> {
        let (answer, subscribed) = oneshot::channel();
        let request = Request { name: name.clone(), answer };
        self.requests.send(request).await.map_err(|_| Failure::before_sending(Cause::NoEngine))?;
        subscribed.await.map_err(|_| Failure::before_sending(Cause::NoEngine))?
    }

    /// Returns true if the task has ended with its runtime.
    pub(crate) fn has_ended(&self) -> bool {
        self.requests.is_closed()
    }
}

struct ListenTask {
    server: Arc<Server>,
    subscriptions: Arc<Subscriptions>,
    poll_every: Duration,
    queue: mpsc::Receiver<Request>,
}

/// The answer of the server to a poll.
struct Answer {
    /// The server: whether it is a standby, its cluster, its timeline and the process of the session.
    identity: (bool, i64, i64, String),
    /// The last value of the sequence of positions.
    drawn: i64,
    /// The id of the oldest transaction that runs, and the next id.
    running: (i64, i64),
}

impl ListenTask {
    /// Listens from the first request until the connection ends, and then from the next request.
    async fn run(mut self, on_new_server: impl Fn() + Send) {
        while let Some(first) = self.queue.recv().await {
            match self.listen().await {
                Ok(connection) => {
                    self.answer(first);
                    let ended = self.poll_until_end(connection).await;
                    tracing::debug!(
                        ?ended,
                        "the connection that listens to Postgres ended: followers begin again"
                    );
                    self.subscriptions.end();
                    if ended.is_err() {
                        on_new_server();
                    }
                }
                Err(failure) => {
                    _ = first.answer.send(Err(failure.clone()));
                    while let Ok(next) = self.queue.try_recv() {
                        _ = next.answer.send(Err(failure.clone()));
                    }
                }
            }
        }
    }

    fn answer(&self, request: Request) {
        _ = request.answer.send(Ok(self.subscriptions.add(request.name)));
    }

    async fn listen(&self) -> Result<Connection, Failure> {
        let (process, subscriptions) =
            (self.server.session.process.clone(), Arc::clone(&self.subscriptions));
        let hear: Hear = Arc::new(move |payload| {
            names::parse_payload(payload, &process, |name| subscriptions.notify_from_other(name));
        });
        let connection = self.server.connect(Timeouts::within(WITHIN), hear).await?;
        let listen = connection.client.batch_execute(LISTEN);
        let listened = timeout(WITHIN, listen).await;
        let listened = listened.map_err(|_| Failure::before_sending(Cause::NoAnswer(WITHIN)))?;
        listened.map_err(|error| Failure::before_sending(Cause::Postgres(error)))?;
        Ok(connection)
    }

    /// Polls until the connection ends or leads to another server, or until no log is followed any more.
    async fn poll_until_end(&mut self, mut connection: Connection) -> Result<(), Failure> {
        let mut before = Self::poll(&mut connection).await?;
        if before.identity.3 != self.server.session.process {
            return Err(Failure::before_sending(Cause::Pooler(
                "gives one session to several clients",
            )));
        }
        // A position that was drawn by now may become visible until the transactions that run now have ended.
        let mut unsettled = Some(before.running.1);
        let (mut next_poll, mut used) = (Instant::now() + self.poll_every, Instant::now());
        loop {
            tokio::select! {
                request = self.queue.recv() => match request {
                    Some(request) => self.answer(request),
                    None => return Ok(()),
                },
                () = connection.ended() => return Err(Failure::before_sending(Cause::NewServer)),
                () = sleep_until(next_poll) => {
                    if !self.subscriptions.names().is_empty() {
                        used = Instant::now();
                    } else if used.elapsed() > IDLE {
                        return Ok(());
                    }
                    let now = Self::poll(&mut connection).await?;
                    if now.identity != before.identity {
                        return Err(Failure::before_sending(Cause::NewServer));
                    }
                    let is_settled = unsettled.is_some_and(|running| now.running.0 >= running);
                    if now.drawn != before.drawn || unsettled.is_some() {
                        self.compare(&mut connection).await?;
                    }
                    if now.drawn != before.drawn && now.running.0 < now.running.1 {
                        unsettled = Some(now.running.1);
                    } else if is_settled {
                        unsettled = None;
                    }
                    before = now;
                    next_poll = Instant::now() + self.poll_every;
                }
            }
        }
    }

    async fn poll(connection: &mut Connection) -> Result<Answer, Failure> {
        let rows = timeout(WITHIN, connection.query(POLL, &[])).await;
        let rows = rows.map_err(|_| Failure::before_sending(Cause::NoAnswer(WITHIN)))??;
        let row = rows.first().ok_or_else(|| Failure::before_sending(Cause::Missing))?;
        let identity = ["is_standby", "cluster", "timeline", "session"];
        let [is_standby, cluster, timeline, session] = identity;
        Ok(Answer {
            identity: (row.get(is_standby), row.get(cluster), row.get(timeline), row.get(session)),
            drawn: row.get("drawn"),
            running: (row.get("running_from"), row.get("running_to")),
        })
    }

    /// Reads the state of all logs that are followed, and notifies the followers of those that have changed.
    async fn compare(&self, connection: &mut Connection) -> Result<(), Failure> {
        let mut names = self.subscriptions.names();
        let texts: Vec<&str> = names.iter().map(LogName::as_str).collect();
        let rows = timeout(WITHIN, connection.query(TOPS, &[&texts])).await;
        let rows = rows.map_err(|_| Failure::before_sending(Cause::NoAnswer(WITHIN)))??;
        names.sort();
        for row in &rows {
            let Ok(index) = names.binary_search_by(|name| name.as_str().cmp(row.get("log"))) else {
                continue;
            };
            let hi = row.get::<_, Option<i64>>("hi");
            let top = Top {
                newest: hi.map(|hi| position(hi, row.get("lo"))),
                epoch: epoch(row)?,
                is_finished: row.get("is_finished"),
                deletions: row.get::<_, i64>("deletions").unsigned_abs(),
            };
            self.subscriptions.compare(&names.remove(index), Some(top));
        }
        // These logs are missing.
        names.iter().for_each(|name| self.subscriptions.compare(name, None));
        Ok(())
    }
}
