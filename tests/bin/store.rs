//! Opens a store for another process, which can then kill this one.

use clap::Parser;
use sse_conformance::suite::store_process::host;

#[derive(Parser)]
struct Arguments {
    /// Where it is: `redb:PATH`.
    #[arg(long)]
    store: String,
}

#[tokio::main]
async fn main() -> std::io::Result<()> {
    host(Arguments::parse().store).await
}
