//! The cost of a reader that does not read, beside the framework's own body of the same chunks.

use std::path::Path;

use clap::Args;
use sse_conformance::adapters;
use sse_conformance::suite::framework::Framework;

use crate::QUIET;
use crate::case::{Case, Measuring};
use crate::memory::Memory;

/// The amount to measure.
#[derive(Debug, Clone, Copy, Args)]
pub struct Stuck {
    /// Which framework serves.
    #[arg(long, value_parser = adapters::named)]
    framework: Framework,
    /// The number of readers, each at a position of its own in 60 MB.
    #[arg(long, default_value_t = 1000)]
    readers: usize,
    /// The number of runs.
    #[arg(long, default_value_t = 5)]
    runs: usize,
}

/// Measures and prints it.
pub async fn measure(program: &Path, stuck: Stuck) {
    let Stuck { framework, readers, runs } = stuck;
    let measuring = Measuring { program, framework, readers, events: 60_000, quiet: QUIET };
    let mut all = Vec::new();
    for run in 1..=runs {
        let body = measuring.cost(Case::IdleOnBody).await;
        let log = measuring.cost(Case::IdleOnLog).await;
        let stuck_body = measuring.cost(Case::StuckOnBody).await;
        let stuck_log = measuring.cost(Case::StuckOnLog).await;
        eprintln!(
            "{} {run}/{runs}: a stuck reader more {}",
            framework.name,
            stuck_log - stuck_body
        );
        all.push([body, log, stuck_body, stuck_log]);
    }
    let figures = |figure: fn(&[Memory; 4]) -> Memory| all.iter().map(figure).collect::<Vec<_>>();
    println!("{}, a reader of {readers}, {runs} runs, the median:", framework.name);
    println!("  idle on its own body    {}", Memory::median(&figures(|run| run[0])));
    println!("  idle on the log         {}", Memory::median(&figures(|run| run[1])));
    println!("  stuck on its own body   {}", Memory::median(&figures(|run| run[2])));
    println!("  stuck on the log        {}", Memory::median(&figures(|run| run[3])));
    for (what, of) in [
        ("idle, the log's more ", figures(|run| run[1] - run[0])),
        ("stuck, the log's more", figures(|run| run[3] - run[2])),
        ("stuck, not idle      ", figures(|run| run[3] - run[1])),
    ] {
        println!("  {what}   {}", Memory::median(&of));
        println!("    its mean              {}", Memory::mean(&of));
        println!("    may be wrong by       {}", Memory::error(&of));
    }
}
