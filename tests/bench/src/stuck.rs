//! What a reader costs that does not read, beside the framework's own body of the same chunks.

use std::path::Path;

use clap::Args;
use sse_conformance::suite::framework::Framework;

use crate::case::Case;
use crate::server::Memory;

/// How much is measured.
#[derive(Debug, Clone, Copy, Args)]
pub struct Stuck {
    /// Which framework serves.
    #[arg(long, value_parser = crate::framework)]
    framework: Framework,
    /// How many readers, each at a position of its own.
    #[arg(long, default_value_t = 1000)]
    readers: usize,
    /// How often; what is shown is the median.
    #[arg(long, default_value_t = 5)]
    runs: usize,
}

/// Measures and prints it.
pub async fn measure(program: &Path, stuck: Stuck) {
    let Stuck { framework, readers, runs } = stuck;
    let cases = [Case::Still, Case::Idle, Case::StuckInChunks, Case::StuckInLog];
    let mut all = Vec::new();
    for run in 1..=runs {
        let mut measured = Vec::new();
        for case in cases {
            let memory = case.measure(program, framework, readers).await;
            eprintln!("{} {run}/{runs} {case:?}: {memory}", framework.name);
            measured.push(memory);
        }
        all.push(measured);
    }
    let median = |figure: &dyn Fn(&[Memory]) -> Memory| {
        let figures: Vec<_> = all.iter().map(|measured| figure(measured)).collect();
        Memory::median(&figures)
    };
    println!("{}, a reader of {readers}, median of {runs} runs", framework.name);
    println!("  idle, own body       {}", median(&|m| m[0]));
    println!("  idle, log            {}", median(&|m| m[1]));
    println!("  stuck, own body      {}", median(&|m| m[2]));
    println!("  stuck, log           {}", median(&|m| m[3]));
    println!("  idle: the log's more {}", median(&|m| m[1] - m[0]));
    println!("  stuck: the log's more{}", median(&|m| m[3] - m[2]));
    println!("  held while stuck     {}", median(&|m| m[3] - m[1]));
}
