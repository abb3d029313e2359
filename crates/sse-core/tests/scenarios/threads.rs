//! What happens on other threads is not missed: each handover either finds the event or is woken for it.

use std::sync::mpsc;
use std::time::Duration;

use futures_util::StreamExt;
use sse_core::{Event, EventLog, StreamContext, StreamResponse, Timer};

use crate::support::client::request;
use crate::support::parser::Parser;

const ROUNDS: usize = 30_000;

/// Reads this many events of a feed on a thread of its own, and asks for the next only once one has arrived.
fn read(
    feed: impl Into<sse_core::Feed>,
    arrived: mpsc::Sender<usize>,
) -> std::thread::JoinHandle<()> {
    let timer = Timer::new(std::time::Instant::now, |_| std::future::pending());
    let mut body = StreamResponse::new(&request(), feed, timer).body;
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().build();
        runtime.expect("a runtime").block_on(async {
            let (mut parser, mut count) = (Parser::default(), 0);
            while count < ROUNDS {
                let Some(Ok(chunk)) = body.next().await else {
                    panic!("it ended after {count}");
                };
                count += parser.feed(&chunk).len();
                arrived.send(count).expect("somebody counts");
            }
        });
    })
}

/// Appends as soon as the last event has arrived: then the reader is just about to wait.
#[track_caller]
fn check(mut send: impl FnMut(usize), arrived: &mpsc::Receiver<usize>) {
    let mut count = 0;
    for round in 1..=ROUNDS {
        send(round);
        while count < round {
            count = arrived
                .recv_timeout(Duration::from_secs(5))
                .unwrap_or_else(|_| panic!("event {round} was appended, and its reader not woken"));
        }
    }
}

#[test]
fn an_event_appended_while_a_client_begins_to_wait_arrives() {
    let log = EventLog::in_memory(100);
    let (to, arrived) = mpsc::channel();
    let reader = read(&log, to);
    let append = |round: usize| {
        let id = futures_util::FutureExt::now_or_never(log.append(Event::new(round.to_string())));
        id.expect("no waiting in memory").expect("stored");
    };
    check(append, &arrived);
    reader.join().expect("all arrived");
}

#[test]
fn an_event_sent_while_its_client_begins_to_wait_arrives() {
    let (context, feed) = StreamContext::channel();
    let (to, arrived) = mpsc::channel();
    let reader = read(feed, to);
    let send = |round: usize| {
        let sent = futures_util::FutureExt::now_or_never(
            context.send_event(Event::new(round.to_string())),
        );
        sent.expect("there is room").expect("there is a client");
    };
    check(send, &arrived);
    reader.join().expect("all arrived");
}
