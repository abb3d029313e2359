//! Streams on which nothing happens, and then one event: a server after the other, since ten thousand streams of each are more than a process may open.

use std::fmt::Write;
use std::path::Path;
use std::time::{Duration, Instant};

use super::client::Client;
use super::events::Publication;
use super::peer::{self, Setup, names};

/// The number of streams, and for how long the server is watched.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Idle {
    pub(crate) streams: usize,
    pub(crate) watched: Duration,
}

/// The findings about a server.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Found {
    /// Milliseconds of processor time a second.
    pub(crate) cpu: f64,
    /// Kilobytes of memory a stream.
    pub(crate) memory: f64,
    /// Microseconds of processor time for each stream that gets the one event.
    pub(crate) delivery: f64,
    /// Milliseconds until all have it.
    pub(crate) took: f64,
}

/// Measures all servers.
pub(crate) fn run(program: &Path, idle: Idle) -> Vec<(&'static str, Result<Found, String>)> {
    let one = |name| {
        let found = measure(program, name, idle);
        eprintln!("idle: {name}: {found:.2?}");
        (name, found)
    };
    names().map(one).collect()
}

/// The table of what was found.
pub(crate) fn table(found: &[(&'static str, Result<Found, String>)]) -> String {
    let mut text = String::from(
        "| server | CPU, ms a second | memory of a stream, kB | one event, CPU a stream, microseconds | until all have it, ms |\n|---|---|---|---|---|\n",
    );
    for (name, found) in found {
        let _ = match found {
            Ok(Found { cpu, memory, delivery, took }) => {
                writeln!(
                    text,
                    "| {name} | **{cpu:.1}** | {memory:.1} | {delivery:.1} | {took:.0} |"
                )
            }
            Err(why) => writeln!(text, "| {name} | {why} | | | |"),
        };
    }
    text
}

fn measure(program: &Path, name: &'static str, idle: Idle) -> Result<Found, String> {
    let mut running = peer::start(program, name, Setup { topics: 1, kept: 0 })?;
    let before = running.private();
    let mut client = Client::new();
    client.open(running.address, (0..idle.streams).map(|_| "/events/0".to_owned()))?;
    client.read_for(Duration::from_secs(2))?;
    let memory = (running.private() - before) as f64 / 1000.0 / idle.streams as f64;
    let (begun, used) = (Instant::now(), running.cpu());
    client.read_for(idle.watched)?;
    let cpu = (running.cpu() - used).as_secs_f64() * 1000.0 / begun.elapsed().as_secs_f64();
    let (begun, used) = (Instant::now(), running.cpu());
    running.publisher.publish(Publication { count: 1, size: 128 })?;
    client.until_events(idle.streams as u64)?;
    let took = begun.elapsed().as_secs_f64() * 1000.0;
    let delivery = (running.cpu() - used).as_secs_f64() * 1e6 / idle.streams as f64;
    Ok(Found { cpu, memory, delivery, took })
}
