//! Between a log and its server: does to single messages what a cluster may do, or a server that dies.

use std::collections::{HashMap, HashSet};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use sse_conformance::stores::Nats;
use sse_conformance::suite::store_engine::Networked;
use tokio::io::{AsyncWriteExt, BufReader};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{AbortHandle, JoinSet};

use crate::frame::Frame;

/// What becomes of what is asked.
pub(crate) enum Fate {
    Passes,
    /// The server does it, and another answer comes.
    IsAnswered(&'static str),
    /// The server does not get it, and this answer comes.
    IsRefused(&'static str),
}

/// Nobody listens to it, so that the server says that at once.
const NOWHERE: &str = "nowhere";

/// In nanoseconds.
const DAY: u64 = 24 * 60 * 60 * 1_000_000_000;

type Asked = Box<dyn FnMut(&str) -> Fate + Send>;
type Delivered = Box<dyn FnMut(u64) -> bool + Send>;

struct Rules {
    asked: Asked,
    delivered: Delivered,
    /// By where they are awaited.
    answers: HashMap<String, &'static str>,
    /// From which message on they are a day younger.
    younger: u64,
    waiting: HashSet<String>,
    most_waiting: usize,
    /// Messages that a consumer passes over, and how many each has, by its name.
    skipped: HashSet<u64>,
    skips: HashMap<String, u64>,
    /// How many connections there were, are, and of the first how many carry nothing any more.
    connections: usize,
    open: usize,
    silent: usize,
    has_no_api: bool,
    /// How many bytes came from the server, and how many messages went to it.
    answered: usize,
    published: usize,
}

/// Gone when it is dropped.
pub(crate) struct Relay {
    address: SocketAddr,
    rules: Arc<Mutex<Rules>>,
    accepting: AbortHandle,
}

impl Relay {
    pub(crate) async fn start(nats: &Nats) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let (address, server) = (listener.local_addr().expect("it listens"), nats.address());
        let (asked, delivered) = (Box::new(|_: &str| Fate::Passes), Box::new(|_| true));
        let rules = Arc::new(Mutex::new(Rules {
            asked,
            delivered,
            answers: HashMap::new(),
            younger: u64::MAX,
            waiting: HashSet::new(),
            most_waiting: 0,
            skipped: HashSet::new(),
            skips: HashMap::new(),
            connections: 0,
            open: 0,
            silent: 0,
            has_no_api: false,
            answered: 0,
            published: 0,
        }));
        let accepting = tokio::spawn(accept(listener, server, Arc::clone(&rules))).abort_handle();
        Self { address, rules, accepting }
    }

    pub(crate) fn url(&self) -> String {
        format!("nats://{}", self.address)
    }

    /// From now on this is asked of all that is published, by its subject.
    pub(crate) fn asked(&self, rule: impl FnMut(&str) -> Fate + Send + 'static) {
        self.rules.lock().expect("no rule panics").asked = Box::new(rule);
    }

    /// And this of each message that a consumer gives, by its place in the stream: whether it arrives. Word that no more come is the last.
    pub(crate) fn delivered(&self, rule: impl FnMut(u64) -> bool + Send + 'static) {
        self.rules.lock().expect("no rule panics").delivered = Box::new(rule);
    }

    /// Messages from this place on are said to have been stored a day later than they were.
    pub(crate) fn younger_from(&self, sequence: u64) {
        self.rules.lock().expect("no rule panics").younger = sequence;
    }

    /// A consumer passes over this message, as if it were not there.
    pub(crate) fn skips(&self, sequence: u64) {
        self.rules.lock().expect("no rule panics").skipped.insert(sequence);
    }

    /// As at a server without JetStream, nobody answers to its API.
    pub(crate) fn has_no_api(&self) {
        self.rules.lock().expect("no rule panics").has_no_api = true;
    }

    /// The connections that there are carry nothing from now on, and stay open.
    pub(crate) fn goes_silent(&self) {
        let mut rules = self.rules.lock().expect("no rule panics");
        rules.silent = rules.connections;
    }

    /// How many connections are open.
    pub(crate) fn open(&self) -> usize {
        self.rules.lock().expect("no rule panics").open
    }

    /// How many bytes have come from the server, and how many messages have gone to it.
    pub(crate) fn carried(&self) -> (usize, usize) {
        let rules = self.rules.lock().expect("no rule panics");
        (rules.answered, rules.published)
    }

    /// How many waited for an answer at a time, at most.
    pub(crate) fn most_waiting(&self) -> usize {
        self.rules.lock().expect("no rule panics").most_waiting
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn accept(listener: TcpListener, server: SocketAddr, rules: Arc<Mutex<Rules>>) {
    let mut lines = JoinSet::new();
    loop {
        let (client, _) = listener.accept().await.expect("a connection");
        let Ok(server) = TcpStream::connect(server).await else { continue };
        let number = {
            let mut rules = rules.lock().expect("no rule panics");
            (rules.connections, rules.open) = (rules.connections + 1, rules.open + 1);
            rules.connections
        };
        let ((from, to), (back_from, back_to)) = (client.into_split(), server.into_split());
        let asked = carry(number, from, back_to, Arc::clone(&rules), Frame::ask);
        let answered = carry(number, back_from, to, Arc::clone(&rules), Frame::answer);
        let rules = Arc::clone(&rules);
        lines.spawn(async move {
            // Each ends with the other: it has the other half of both.
            tokio::select! {
                () = asked => {}
                () = answered => {}
            }
            rules.lock().expect("no rule panics").open -= 1;
        });
    }
}

async fn carry(
    number: usize,
    from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    rules: Arc<Mutex<Rules>>,
    rule: fn(&mut Frame, &mut Rules) -> bool,
) {
    let mut from = BufReader::new(from);
    while let Some(mut frame) = Frame::read(&mut from).await {
        let passes = {
            let mut rules = rules.lock().expect("no rule panics");
            number > rules.silent && rule(&mut frame, &mut rules)
        };
        if passes && to.write_all(&frame.bytes()).await.is_err() {
            return;
        }
    }
}

impl Frame {
    /// `PUB subject [reply] size`, and `HPUB` with one size more.
    fn ask(&mut self, rules: &mut Rules) -> bool {
        let words = match self.words[0].as_str() {
            "PUB" => 4,
            "HPUB" => 5,
            _ => return true,
        };
        let reply = (self.words.len() == words).then(|| self.words[2].clone());
        rules.waiting.extend(reply.clone());
        rules.most_waiting = rules.most_waiting.max(rules.waiting.len());
        rules.published += 1;
        if rules.has_no_api && self.words[1].starts_with("$JS.") {
            self.words[1] = NOWHERE.into();
        }
        let answer = match (rules.asked)(&self.words[1]) {
            Fate::Passes => return true,
            Fate::IsAnswered(answer) => answer,
            Fate::IsRefused(answer) => {
                self.words[1] = NOWHERE.into();
                answer
            }
        };
        rules.answers.insert(reply.expect("an answer is awaited"), answer);
        true
    }

    /// `MSG subject number [reply] size`, and `HMSG` with one size more.
    fn answer(&mut self, rules: &mut Rules) -> bool {
        if !self.words[0].ends_with("MSG") {
            return true;
        }
        rules.waiting.remove(&self.words[1]);
        rules.answered += self.payload.len();
        if let Some(answer) = rules.answers.remove(&self.words[1]) {
            let size = answer.len().to_string();
            self.words = vec!["MSG".into(), self.words[1].clone(), self.words[2].clone(), size];
            self.payload = [answer.as_bytes(), b"\r\n"].concat();
        }
        if self.words[3].is_empty() {
            return (rules.delivered)(u64::MAX);
        }
        // `$JS.ACK.stream.consumer.deliveries.sequence.number.time.pending`
        let mut reply: Vec<_> = self.words[3].split('.').map(str::to_owned).collect();
        if reply.len() < 9 {
            return true;
        }
        let [sequence, time] = [5, 7].map(|place| reply[place].parse::<u64>().expect("a number"));
        let skips = rules.skips.entry(reply[3].clone()).or_default();
        if rules.skipped.contains(&sequence) {
            *skips += 1;
            return false;
        }
        if *skips > 0 {
            let number: u64 = reply[6].parse().expect("a number");
            reply[6] = (number - *skips).to_string();
            self.words[3] = reply.join(".");
        }
        if sequence >= rules.younger {
            reply[7] = (time + DAY).to_string();
            self.words[3] = reply.join(".");
        }
        (rules.delivered)(sequence)
    }
}
