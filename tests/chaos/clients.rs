//! A client of the log: reads a stream, is cut off somewhere, and comes back with the last event ID, to either process.

use std::sync::Arc;
use std::time::Duration;

use fastrand::Rng;
use futures_util::StreamExt;
use sse_core::{EventLog, EventStream, StreamRequest, StreamResponse};
use sse_test_kit::parser::Parser;
use tokio::time::sleep;

use crate::process::timer;
use crate::run::Chaos;

/// Reads until it is aborted. The last is slow.
pub(crate) async fn read(chaos: Arc<Chaos>, client: usize, mut id: String, mut rng: Rng) {
    let pause = Duration::from_millis(if client == 3 { 30 } else { 0 });
    loop {
        let process = rng.usize(..chaos.processes.len());
        let Some((log, mut running)) = chaos.processes[process].log() else {
            sleep(Duration::from_millis(10)).await;
            continue;
        };
        {
            let mut book = chaos.book();
            book.trails[client].process = process;
            book.trails[client].connections += 1;
        }
        let mut stream = match connect(&log, &id) {
            Ok(stream) => stream,
            Err(status) => {
                return chaos.book().fail(format!("client {client} is answered {status}"));
            }
        };
        drop(log);
        let mut parser = Parser::default();
        // Some are never cut off.
        let bytes = if rng.u8(..8) == 0 { usize::MAX } else { rng.usize(100..40_000) };
        tokio::select! {
            () = read_stream(&chaos, client, &mut stream, &mut parser, bytes, pause) => {}
            _ = running.changed() => {} // the process has ended
        }
        if !parser.last_event_id().is_empty() {
            id = parser.last_event_id().to_owned();
        }
        sleep(Duration::from_millis(rng.u64(1..20))).await;
    }
}

fn connect(log: &EventLog, id: &str) -> Result<EventStream, u16> {
    let request = StreamRequest::new("GET", None, [("Last-Event-ID", id.as_bytes())]);
    let response = StreamResponse::new(&request, log, timer());
    match response.status {
        200 => Ok(response.body),
        status => Err(status),
    }
}

/// Until its end, an error, or so many bytes.
async fn read_stream(
    chaos: &Chaos,
    client: usize,
    stream: &mut EventStream,
    parser: &mut Parser,
    mut bytes: usize,
    pause: Duration,
) {
    while let Some(Ok(chunk)) = stream.next().await {
        let read = chunk.len().min(bytes);
        let events = parser.feed(&chunk[..read]);
        events.iter().for_each(|event| chaos.book().received(client, event));
        bytes -= read;
        if bytes == 0 {
            chaos.book().counts.cuts += 1;
            return;
        }
        sleep(pause).await;
    }
    chaos.book().counts.ends += 1;
}
