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
mod idle;
mod list;
mod page;
mod parser;
mod peer;
mod picture;
mod regimes;
pub mod servers;
mod table;

use std::path::Path;
use std::time::Duration;

use clap::Args;

use contest::Row;
use figures::Spread;
use idle::Idle;
use list::{Length, regimes};
use picture::Bar;

/// The regimes to measure.
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
        let table = table::table(&rows);
        println!("{}\n\n{table}", regime.title);
        if length == Length::Whole {
            let method = format!("Medians of {rounds} rounds.");
            page::write(program, regime.name, &method, &table);
            draw(regime.name, &rows);
        }
    }
    if wanted("idle") {
        let (streams, seconds) = if peers.quick { (500, 2) } else { (10_000, 60) };
        let watched = Duration::from_secs(seconds);
        let found = idle::run(program, Idle { streams, watched });
        let table = idle::table(&found);
        println!("Idle\n\n{table}");
        if length == Length::Whole {
            page::write(program, "idle", &format!("Watched for {seconds} s."), &table);
            let cpu = |(name, found): &(&str, Result<idle::Found, String>)| {
                let cpu = found.as_ref().ok()?.cpu;
                Some(Bar {
                    name: (*name).into(),
                    spread: Spread { low: cpu, median: cpu, high: cpu },
                })
            };
            let bars: Vec<_> = found.iter().filter_map(cpu).collect();
            page::draw("idle", &picture::bars("10 000 idle streams: CPU, ms a second", &bars));
        }
    }
}

/// Draws the regimes that the page has pictures of.
fn draw(regime: &str, rows: &[Row]) {
    let (title, spread): (_, fn(&Row) -> Option<Spread>) = match regime {
        "single" => ("One event to 1 000 clients: CPU, raw sends = 1", Row::ratio),
        "saturation" => {
            ("Saturation: deliveries a second, one core", |row| row.spread(|one| Some(one.rate)))
        }
        _ => return,
    };
    let bar = |row: &Row| Some(Bar { name: row.name.into(), spread: spread(row)? });
    let bars: Vec<_> = rows.iter().filter_map(bar).collect();
    page::draw(regime, &picture::bars(title, &bars));
}
