use std::sync::Arc;
use std::time::Duration;

use sse_core::store::LogName;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, sleep_until, timeout};

use crate::connect::{Hear, Server};
use crate::connection::Connection;
use crate::error::{Cause, Failure};
use crate::names::{self, CHANNEL};
use crate::position::{cursor, epoch};
use crate::session::Timeouts;
use crate::subscription::{Subscription, Subscriptions, Top};

const ASK: &str = include_str!("sql/ask.sql");
const TOPS: &str = include_str!("sql/tops.sql");
/// How many requests wait, at most; more wait to wait.
const WAITING: usize = 64;
/// How long the server may take to answer the question that is asked each second.
const WITHIN: Duration = Duration::from_secs(4);
/// For how long the connection is kept though no log is followed.
const IDLE: Duration = Duration::from_secs(60);

/// What wants to follow a log.
struct Request {
    name: LogName,
    answer: oneshot::Sender<Result<Subscription, Failure>>,
}

/// Listens for all logs of an engine, by one connection, which is made when a log is followed.
#[derive(Debug)]
pub(crate) struct Listener {
    requests: mpsc::Sender<Request>,
}

impl Listener {
    /// The hub, and what it does, to be spawned. It ends when the hub is dropped.
    pub(crate) fn new(
        server: Arc<Server>,
        subscriptions: Arc<Subscriptions>,
        poll_every: Duration,
        new_server: impl Fn() + Send + 'static,
    ) -> (Self, impl Future<Output = ()> + Send) {
        let (requests, queue) = mpsc::channel(WAITING);
        let poll_every = poll_every.max(Duration::from_millis(1));
        let task = ListenTask { server, subscriptions, poll_every, queue };
        (Self { requests }, task.run(new_server))
    }

    /// A place among the followers, once the connection listens.
    pub(crate) async fn subscribe(&self, name: &LogName) -> Result<Subscription, Failure> {
        let (answer, subscribed) = oneshot::channel();
        let request = Request { name: name.clone(), answer };
        self.requests.send(request).await.map_err(|_| Failure::before(Cause::NoEngine))?;
        subscribed.await.map_err(|_| Failure::before(Cause::NoEngine))?
    }

    /// Whether its runtime has ended.
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

/// What the server said when it was asked.
struct Answer {
    /// Which server it is.
    identity: (bool, i64, i64, String),
    /// How far the positions were drawn.
    drawn: i64,
    /// The first transaction that runs, and the next that will.
    running: (i64, i64),
}

impl ListenTask {
    async fn run(mut self, new_server: impl Fn() + Send) {
        while let Some(first) = self.queue.recv().await {
            match self.listen().await {
                Ok(connection) => {
                    self.answer(first);
                    let ended = self.follow(connection).await;
                    tracing::debug!(?ended, "the connection that listens to Postgres has ended");
                    self.subscriptions.end();
                    if ended.is_err() {
                        new_server();
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
            names::heard(payload, &process, |name| subscriptions.told(name));
        });
        let connection = self.server.connect(Timeouts::within(WITHIN), hear).await?;
        let listen = connection.client.batch_execute(CHANNEL.1);
        let listened = timeout(WITHIN, listen).await;
        let listened = listened.map_err(|_| Failure::before(Cause::NoAnswer(WITHIN)))?;
        listened.map_err(|error| Failure::before(Cause::Postgres(error)))?;
        Ok(connection)
    }

    /// Until that cannot go on, or nothing is followed any more.
    async fn follow(&mut self, mut connection: Connection) -> Result<(), Failure> {
        let mut before = Self::ask(&mut connection).await?;
        if before.identity.3 != self.server.session.process {
            return Err(Failure::before(Cause::Pooler("it gives a session to others")));
        }
        // What was drawn by now may become visible until the transactions that run have ended.
        let mut unsettled = Some(before.running.1);
        let (mut due, mut used) = (Instant::now() + self.poll_every, Instant::now());
        loop {
            tokio::select! {
                request = self.queue.recv() => match request {
                    Some(request) => self.answer(request),
                    None => return Ok(()),
                },
                () = connection.ended() => return Err(Failure::before(Cause::NewServer)),
                () = sleep_until(due) => {
                    if !self.subscriptions.names().is_empty() {
                        used = Instant::now();
                    } else if used.elapsed() > IDLE {
                        return Ok(());
                    }
                    let now = Self::ask(&mut connection).await?;
                    if now.identity != before.identity {
                        return Err(Failure::before(Cause::NewServer));
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
                    due = Instant::now() + self.poll_every;
                }
            }
        }
    }

    async fn ask(connection: &mut Connection) -> Result<Answer, Failure> {
        let rows = timeout(WITHIN, connection.query(ASK, &[])).await;
        let rows = rows.map_err(|_| Failure::before(Cause::NoAnswer(WITHIN)))??;
        let row = rows.first().ok_or_else(|| Failure::before(Cause::Missing))?;
        let identity = ["is_standby", "cluster", "timeline", "session"];
        let [is_standby, cluster, timeline, session] = identity;
        Ok(Answer {
            identity: (row.get(is_standby), row.get(cluster), row.get(timeline), row.get(session)),
            drawn: row.get("drawn"),
            running: (row.get("running_from"), row.get("running_to")),
        })
    }

    /// Looks at all logs that are followed, and wakes the followers of those that have changed.
    async fn compare(&self, connection: &mut Connection) -> Result<(), Failure> {
        let mut names = self.subscriptions.names();
        let texts: Vec<&str> = names.iter().map(LogName::as_str).collect();
        let rows = timeout(WITHIN, connection.query(TOPS, &[&texts])).await;
        let rows = rows.map_err(|_| Failure::before(Cause::NoAnswer(WITHIN)))??;
        names.sort();
        for row in &rows {
            let Ok(place) = names.binary_search_by(|name| name.as_str().cmp(row.get("log"))) else {
                continue;
            };
            let hi = row.get::<_, Option<i64>>("hi");
            let top = Top {
                newest: hi.map(|hi| cursor(hi, row.get("lo"))),
                epoch: epoch(row)?,
                is_finished: row.get("is_finished"),
                deletions: row.get::<_, i64>("deletions").unsigned_abs(),
            };
            self.subscriptions.compare(&names.remove(place), Some(top));
        }
        // These are gone.
        names.iter().for_each(|name| self.subscriptions.compare(name, None));
        Ok(())
    }
}
