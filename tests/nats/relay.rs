//! Between a log and its server: does to single messages what a cluster may do, or a server that dies.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use sse_conformance::engines::Nats;
use sse_test_kit::engines::EngineServer;
use tokio::io::{AsyncWriteExt, BufReader};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{AbortHandle, JoinSet};

use crate::frame::Frame;
use crate::relay_rules::{Fate, Rules};

/// The message that is held up on its way, by its place in the stream, and how many times it was.
#[derive(Debug, Default)]
struct Held {
    sequence: Option<u64>,
    times: usize,
}

/// Gone when it is dropped.
pub(crate) struct Relay {
    address: SocketAddr,
    rules: Arc<Mutex<Rules>>,
    held: Arc<watch::Sender<Held>>,
    accepting: AbortHandle,
}

impl Relay {
    pub(crate) async fn start(nats: &Nats) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let (address, server) = (listener.local_addr().expect("it listens"), nats.address());
        let rules = Arc::new(Mutex::new(Rules::new()));
        let held = Arc::new(watch::Sender::default());
        let accepting = accept(listener, server, (Arc::clone(&rules), Arc::clone(&held)));
        let accepting = tokio::spawn(accepting).abort_handle();
        Self { address, rules, held, accepting }
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

    /// A consumer has sent this message, and it is on its way, with all that comes after it on its connection, until it is released.
    pub(crate) fn holds_up(&self, sequence: u64) {
        self.held.send_modify(|held| *held = Held { sequence: Some(sequence), times: 0 });
    }

    /// Waits until the message has come to where it is held up.
    pub(crate) async fn is_held_up(&self) {
        self.held.subscribe().wait_for(|held| held.times > 0).await.expect("the relay has it");
    }

    pub(crate) fn releases(&self) {
        self.held.send_modify(|held| held.sequence = None);
    }

    /// The connection that was made first is cut: that of the calls of the log.
    pub(crate) fn cuts_the_first(&self) {
        self.rules.lock().expect("no rule panics").is_first_cut = true;
    }

    /// A consumer passes over this message, as if it were not there.
    pub(crate) fn skips(&self, sequence: u64) {
        self.rules.lock().expect("no rule panics").skipped.insert(sequence);
    }

    /// Nobody answers to the API, as at a server without JetStream.
    pub(crate) fn has_no_api(&self) {
        self.rules.lock().expect("no rule panics").has_no_api = true;
    }

    /// The connections that there are carry nothing from now on, and stay open.
    pub(crate) fn goes_silent(&self) {
        let mut rules = self.rules.lock().expect("no rule panics");
        rules.silent = rules.connections;
    }

    /// Returns the number of connections that are open.
    pub(crate) fn open(&self) -> usize {
        self.rules.lock().expect("no rule panics").open
    }

    /// Returns the number of bytes that have come from the server, and of messages that have gone to it.
    pub(crate) fn carried(&self) -> (usize, usize) {
        let rules = self.rules.lock().expect("no rule panics");
        (rules.answered, rules.published)
    }

    /// Returns the most requests that waited for an answer at a time.
    pub(crate) fn most_waiting(&self) -> usize {
        self.rules.lock().expect("no rule panics").most_waiting
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

type Shared = (Arc<Mutex<Rules>>, Arc<watch::Sender<Held>>);

async fn accept(listener: TcpListener, server: SocketAddr, shared: Shared) {
    let rules = Arc::clone(&shared.0);
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
        let asked = carry(number, from, back_to, shared.clone(), Frame::ask);
        let answered = carry(number, back_from, to, shared.clone(), Frame::answer);
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
    (rules, held): Shared,
    rule: fn(&mut Frame, &mut Rules) -> bool,
) {
    let mut from = BufReader::new(from);
    while let Some(mut frame) = Frame::read(&mut from).await {
        let passes = {
            let mut rules = rules.lock().expect("no rule panics");
            if rules.is_first_cut && number == 1 {
                return;
            }
            number > rules.silent && rule(&mut frame, &mut rules)
        };
        let sequence = frame.sequence();
        if sequence.is_some() && sequence == held.borrow().sequence {
            held.send_modify(|held| held.times += 1);
            let mut held = held.subscribe();
            _ = held.wait_for(|held| held.sequence != sequence).await;
        }
        if passes && to.write_all(&frame.bytes()).await.is_err() {
            return;
        }
    }
}
