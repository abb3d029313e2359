//! The servers that are compared. Each serves the same three paths: `/events/TOPIC`, `/replay` with what it has kept first, and a
//! `POST` to `/publish/COUNT/SIZE`.

mod actix;
mod axum;
mod channels;
mod log;
mod raw;
mod rocket;
mod warp;

use std::io::{self, Write};
use std::net::SocketAddr;
use std::time::Duration;

use clap::Args;

/// The interval of keep-alives, of all.
pub(crate) const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// A server in Rust, as `peers` starts it.
#[derive(Debug, Clone, Args)]
pub struct Serving {
    /// The server, by its name in the tables.
    #[arg(long)]
    pub peer: String,
    /// The number of topics.
    #[arg(long, default_value_t = 1)]
    pub topics: usize,
    /// The number of events that are kept for a replay.
    #[arg(long, default_value_t = 0)]
    pub kept: usize,
}

type Serve = fn(&Serving) -> io::Result<()>;

/// The servers in Rust, each with its name.
pub(crate) const IN_RUST: [(&str, Serve); 9] = [
    ("raw sends", raw::serve),
    ("axum, ours", axum::ours),
    ("axum, its own", axum::its_own),
    ("actix-web, ours", actix::ours),
    ("actix-web-lab", actix::its_own),
    ("warp, ours", warp::ours),
    ("warp, its own", warp::its_own),
    ("Rocket, ours", rocket::ours),
    ("Rocket, its own", rocket::its_own),
];

/// Serves until the standard input ends.
///
/// # Errors
///
/// If there is no such server, or if it cannot listen.
pub fn serve(serving: &Serving) -> io::Result<()> {
    std::thread::spawn(|| {
        io::stdin().lines().for_each(drop);
        std::process::exit(0);
    });
    let (_, serve) = IN_RUST
        .iter()
        .find(|(name, _)| *name == serving.peer)
        .ok_or_else(|| io::Error::other(format!("there is no server {:?}", serving.peer)))?;
    serve(serving)
}

/// Tells the address to the process that measures.
fn tell(address: SocketAddr) {
    println!("{address}");
    // If that process has gone, the end of the input will be the end.
    drop(io::stdout().flush());
}

/// The runtime of all but actix-web and raw sends: everything in one thread.
fn runtime() -> io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()
}
