//! Counts what a delivery costs, and compares it with what is committed.
#![forbid(unsafe_code)]

use std::process::ExitCode;

use clap::Parser;
use sse_gates::committed::{self, Figure};
use sse_gates::counting;
use sse_gates::deliveries::{self, Deliveries};
use sse_gates::server::{self, Serving};

/// The cost of a delivery, and whether it is more than what is committed.
#[derive(Parser)]
enum Arguments {
    /// Counts, and fails if a figure is above what is committed.
    Check,
    /// Counts, and writes what is to be committed.
    Commit,
    /// Deliveries in the core, as `check` runs them.
    Deliveries(Deliveries),
    /// A server, as `check` runs it.
    Serve(Serving),
}

fn main() -> ExitCode {
    match Arguments::parse() {
        Arguments::Check => committed::check(&all()),
        Arguments::Commit => committed::commit(&all()),
        Arguments::Deliveries(of) => {
            println!("{} bytes", deliveries::measure(&of));
            ExitCode::SUCCESS
        }
        Arguments::Serve(serving) => {
            server::serve(&serving).expect("it can listen");
            ExitCode::SUCCESS
        }
    }
}

fn all() -> Vec<Figure> {
    let mut figures = Vec::new();
    for (name, logs) in [("one log", 1), ("a merge of five", 5)] {
        let of = |events| Deliveries { logs, clients: 100, events, size: 128 };
        figures.extend(counting::in_the_core(name, of));
    }
    figures.extend(counting::over_frameworks());
    figures
}
