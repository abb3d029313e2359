//! The bounds: the size of a chunk, and the polls for which a client is served that cannot read on.

use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use fastrand::Rng;
use futures_core::Stream;
use sse_core::{EventStream, Feed, StreamResponse};

use super::client::{Client, Did};
use super::connection::Connection;
use super::database::Database;
use super::options::{AtGap, Options, any_id};
use super::{USUAL, for_each_seed};
use crate::support::client::request_after;

/// The largest chunk of several events.
const CHUNK: usize = 64 * 1024;

#[test]
fn each_chunk_of_a_source_is_64_kib_at_most_unless_it_is_one_event() {
    for_each_seed(USUAL, |mut rng| {
        let database = Database::new(rng.fork());
        {
            let mut state = database.lock();
            (state.large, state.slowness) = (rng.u8(..32), 1 + rng.usize(..2));
        }
        (0..rng.usize(..20)).for_each(|_| database.publish());
        // Most of those that come back get a replay, and the others a snapshot.
        let id = if rng.u8(..4) > 0 { "0" } else { "of another server" };
        let connection = Connection::new(&database, id);
        let feed = Feed::from(connection.clone()).on_gap(connection.snapshots());
        let response = StreamResponse::new(&request_after(id), feed, database.clock.timer());
        read_chunks(response.body, &database, &mut rng);
    });
}

/// Reads, without a look at the events, while others are published.
fn read_chunks(mut body: EventStream, database: &Database, rng: &mut Rng) {
    for _ in 0..rng.usize(5..20) {
        (0..rng.usize(..4)).for_each(|_| database.publish());
        let mut cx = Context::from_waker(Waker::noop());
        match Pin::new(&mut body).poll_next(&mut cx) {
            Poll::Ready(Some(Ok(chunk))) if chunk.len() > CHUNK => {
                let text = std::str::from_utf8(&chunk).expect("UTF-8");
                let first = text.find("\n\n").expect("a whole event") + 2;
                assert_eq!(first, chunk.len(), "the first of several events, and all of them");
            }
            Poll::Ready(Some(Ok(_))) | Poll::Pending => {}
            Poll::Ready(Some(Err(cut))) => panic!("{cut}"),
            Poll::Ready(None) => return,
        }
    }
}

/// The most polls for which a client that cannot read on is served, without those in which it waits for the source. The longest
/// way there is: the first line; the `reset`; the state; the events after it; the events that came meanwhile; the end.
const POLLS: usize = 6;

#[test]
fn a_client_that_cannot_read_on_comes_to_the_end_though_the_source_is_busy() {
    for_each_seed(USUAL, |mut rng| {
        let database = Database::new(rng.fork());
        database.lock().slowness = rng.usize(1..5);
        let at_gap = [AtGap::Reset, AtGap::Live][rng.usize(..2)];
        let options = Options { at_gap, reads_on: false, ..Options::ROOMY };
        let mut client = Client::new(&database, any_id(&mut rng), options);
        for _ in 0..rng.usize(1..5) {
            visit(&mut client, &database, &mut rng);
        }
    });
}

/// Lets a client come and read to the end. Something is published before each poll.
fn visit(client: &mut Client, database: &Database, rng: &mut Rng) {
    let (mut polls, count) = (0, client.count);
    loop {
        database.publish();
        polls += usize::from(client.step(database, rng, false) == Did::Well);
        if !client.reader.is_connected() {
            break;
        }
        assert!(polls < POLLS, "no end: {:?}", client.options);
    }
    assert!(client.count > count, "a visit brings it further");
}
