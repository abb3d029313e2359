//! Ours beside others, and beside the limit: `sse-bench peers`.
//!
//! # Layout
//!
//! - [`servers`]: the servers in Rust, a file for each framework; `peer`: all of them, as processes; `control`: how they are told to publish;
//! - `client`: what reads their streams; `parser`: a stream as it comes; `events`: what all of them send;
//! - `list`: the regimes; `regimes`: what happens in one; `contest`: all servers in one, in rotation; `idle`: the one in which nothing happens;
//! - `figures`, `table`, `picture`, `page`: what becomes of it.

mod client;
mod contest;
mod control;
mod events;
mod figures;
mod list;
mod parser;
mod peer;
mod regimes;
pub mod servers;
mod table;

use std::path::Path;

use clap::Args;

use list::{Length, regimes};

/// What to measure.
#[derive(Debug, Clone, Args)]
pub struct Peers {
    /// Only this regime: single, burst, saturation, replay, large, slow, topics, paced or idle.
    #[arg(long)]
    only: Option<String>,
    /// The number of rounds.
    #[arg(long)]
    rounds: Option<usize>,
    /// Short windows and few streams, to see that it works. The page is left as it is.
    #[arg(long)]
    quick: bool,
}

/// Measures, prints, and writes the page.
pub fn measure(program: &Path, peers: &Peers) {
    let length = if peers.quick { Length::Quick } else { Length::Whole };
    let rounds = peers.rounds.unwrap_or(if peers.quick { 2 } else { 12 });
    peer::on_core(1);
    let wanted = |name: &str| peers.only.as_deref().is_none_or(|only| only == name);
    for regime in regimes(length).iter().filter(|regime| wanted(regime.name)) {
        let rows = contest::run(program, regime, rounds);
        println!("{}\n\n{}", regime.title, table::table(&rows));
    }
}
