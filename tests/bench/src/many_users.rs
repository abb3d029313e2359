//! One log, a topic for each of many users: the time until all who are connected have their events, and the connections that it takes.

use std::pin::pin;
use std::process::Stdio;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use clap::{Args, ValueEnum};
use futures_util::{StreamExt, stream};
use sse_conformance::engines::{Nats, Postgres, Redb, Redis};
use sse_conformance::suite::store_engine::Engine;
use sse_core::{Event, EventLog, StoreOptions, StreamRequest, StreamResponse};
use sse_test_kit::eventually::eventually;
use sse_test_kit::parser::Parser;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::PATIENCE;
use crate::logs;
use crate::processes::connections;
use crate::store::timer;

/// The number of appends that run at the same time.
const PUBLISHERS: usize = 256;
/// The number of events in memory in each process.
const TAIL: usize = 1000;

/// The engine, and the users.
#[derive(Debug, Clone, Args)]
pub struct ManyUsers {
    /// An engine that is started for this. The users are connected to two processes; with redb to one, which has the file.
    #[arg(long)]
    engine: Kind,
    /// The number of users. Each gets an event.
    #[arg(long, default_value_t = 50_000)]
    users: usize,
    /// The number of users that are connected.
    #[arg(long, default_value_t = 5_000)]
    connected: usize,
    /// The users come back after all was appended, each with an id from before, so that each is served by the store.
    #[arg(long)]
    behind: bool,
    /// The log of the first process: only the second process gets it.
    #[arg(long, hide = true)]
    of: Option<String>,
}

#[derive(Debug, Clone, Copy, ValueEnum, PartialEq, Eq)]
enum Kind {
    Redb,
    Redis,
    Nats,
    Postgres,
}

/// Measures and prints it.
///
/// # Panics
///
/// If the engine does not start, or a user does not get its event, or another's.
pub async fn measure(many: ManyUsers) {
    if let Some(url) = &many.of {
        return second(&many, url).await;
    }
    let engine: Box<dyn Engine> = match many.engine {
        Kind::Redb => Box::new(Redb::start().await),
        Kind::Redis => Box::new(Redis::start().await),
        Kind::Nats => Box::new(Nats::start().await),
        Kind::Postgres => Box::new(Postgres::start().await),
    };
    let (url, processes) = (engine.url(), if many.engine == Kind::Redb { 1 } else { 2 });
    let log = open(&url, &many).await;
    // An event from before, so that those who come back have an id.
    append_for_nobody(&log).await;
    let mut other = if processes == 2 { Some(Other::start(&many, &url).await) } else { None };
    let before = log.stats().newest.as_str().to_owned();
    let mine = (0..many.connected).step_by(processes).collect::<Vec<_>>();
    let mut connected = JoinSet::new();
    if !many.behind {
        connected = connect(&log, &many, &mine, "");
        if let Some(other) = &mut other {
            other.tell("").await;
        }
    }
    println!("connections of a process to the store, with {} users: {}", mine.len(), connections());
    let begun = now();
    let append = |user: usize| {
        let event = Event::new(user.to_string()).topic(topic(user)).expect("a topic");
        let log = log.clone();
        async move { log.append(event).await.expect("stored") }
    };
    let appended = stream::iter(0..many.users).map(append).buffer_unordered(PUBLISHERS);
    pin!(appended).count().await;
    let mut appended = now();
    println!("{} events appended in {:.2?}", many.users, appended - begun);
    if many.behind {
        append_for_nobody(&log).await;
        appended = now();
        connected = connect(&log, &many, &mine, &before);
        if let Some(other) = &mut other {
            other.tell(&before).await;
        }
    }
    let last = all(connected).await;
    println!("connections afterwards: {}", connections());
    let of_other = match &mut other {
        Some(other) => other.last().await,
        None => last,
    };
    let took = last.max(of_other).saturating_sub(appended);
    println!("all {} connected users had theirs {took:.2?} after the last append", many.connected);
}

async fn open(url: &str, many: &ManyUsers) -> EventLog {
    let options = StoreOptions::new().events(2 * many.users).tail_events(TAIL);
    logs::open(url, "users", options).await.expect("the log can be opened")
}

/// Appends an event that no user gets, and waits until the log has it: each user who comes later finds what was appended before.
async fn append_for_nobody(log: &EventLog) {
    let event = Event::new("").topic("nobody").expect("a topic");
    let id = log.append(event).await.expect("stored");
    eventually(PATIENCE, "the log has it", || log.stats().newest == id).await;
}

fn topic(user: usize) -> String {
    format!("user/{user:06}")
}

/// Connects these of the users that are connected, which are evenly spread among all.
fn connect(log: &EventLog, many: &ManyUsers, these: &[usize], id: &str) -> JoinSet<Duration> {
    let users = these.iter().map(|number| number * many.users / many.connected);
    users.map(|user| arrives(log, user, id)).collect()
}

/// Connects a user. Returns when the user has got the event.
fn arrives(log: &EventLog, user: usize, id: &str) -> impl Future<Output = Duration> + Send + use<> {
    let feed = log.topics([topic(user)]).expect("the store keeps topics");
    let headers = [("accept", &b"text/event-stream"[..]), ("last-event-id", id.as_bytes())];
    let request = StreamRequest::new("GET", None, headers);
    let mut body = StreamResponse::new(&request, feed, timer()).body;
    async move {
        let mut parser = Parser::default();
        while let Some(chunk) = body.next().await {
            let events = parser.feed(&chunk.expect("no cut"));
            if let Some(event) = events.iter().find(|event| event.event_type != "position") {
                assert_eq!(event.data, user.to_string(), "an event of another, or a gap");
                return now();
            }
        }
        panic!("the stream has ended");
    }
}

/// Returns when the last had its event.
async fn all(connected: JoinSet<Duration>) -> Duration {
    let all = timeout(PATIENCE, connected.join_all()).await.expect("each has its event in time");
    all.into_iter().max().unwrap_or_default()
}

fn now() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).expect("it is after 1970")
}

/// Runs the second process: it connects its users when it is told the id, and tells when the last had its event.
async fn second(many: &ManyUsers, url: &str) {
    let log = open(url, many).await;
    println!("ready");
    let mut told = BufReader::new(tokio::io::stdin()).lines();
    let id = told.next_line().await.expect("a pipe").expect("the first process runs");
    let mine = (1..many.connected).step_by(2).collect::<Vec<_>>();
    let connected = connect(&log, many, &mine, &id);
    println!("connected");
    println!("{}", all(connected).await.as_micros());
}

/// The second process, as the first sees it.
struct Other {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Other {
    async fn start(many: &ManyUsers, url: &str) -> Self {
        let engine = many.engine.to_possible_value().expect("it has a name");
        let mut child = Command::new(std::env::current_exe().expect("this program"))
            .args(["many-users", "--of", url, "--engine", engine.get_name()])
            .args(["--users", &many.users.to_string(), "--connected", &many.connected.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("it can be started");
        let lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
        let mut other = Self { child, lines };
        assert_eq!(other.line().await, "ready");
        other
    }

    /// Has it connect its users, with this id.
    async fn tell(&mut self, id: &str) {
        let pipe = self.child.stdin.as_mut().expect("a pipe");
        pipe.write_all(format!("{id}\n").as_bytes()).await.expect("it runs");
        pipe.flush().await.expect("it runs");
        assert_eq!(self.line().await, "connected");
    }

    /// Returns when the last of its users had its event.
    async fn last(&mut self) -> Duration {
        Duration::from_micros(self.line().await.parse().expect("a number"))
    }

    async fn line(&mut self) -> String {
        let line = timeout(PATIENCE, self.lines.next_line()).await.expect("it answers");
        line.expect("a pipe").expect("it runs")
    }
}
