//! Chaos, for each engine: two processes append to one log and four clients read it, while things are done to the engine and to the lines.
//!
//! ```sh
//! cargo test -p sse-conformance --test chaos redis                                                      # 15 s, another seed each time
//! SSE_CHAOS_SECONDS=3600 SSE_SEED=7 cargo test -p sse-conformance --test chaos redis -- --nocapture     # an hour
//! SSE_CHAOS_FAULTS=kill,pause cargo test -p sse-conformance --test chaos redis -- --nocapture           # these alone
//! ```
//!
//! The seed decides which faults come in which order, for how long, and what is appended. It does not decide how the threads take turns, so
//! a seed that failed may pass.
//!
//! A run has rounds. In a round both processes append plain events, keyed ones, batches and events with idempotency keys that both use, and
//! delete some; one fault comes and ends. Then the processes pause, a marker is appended, and each client has to get it within 30 s
//! ([`run`]). The log is then read by a new reader, and each event that was acknowledged, and each that a client was
//! given, is held against that ([`check`]): nothing is lost, repeated, reordered or back in silence.
//!
//! The clock of an engine jumps by libfaketime, for hours, and back ([`faults`]).

mod arrive;
mod book;
mod broken;
mod check;
mod clients;
mod faults;
mod groups;
mod line;
mod options;
mod process;
mod publishers;
mod run;
mod seen;
mod summary;
mod trail;

use faults::Subject;
use options::Options;
use sse_conformance::engines;

async fn chaos(engine: &str, subject: impl Subject) {
    let options = Options::from_environment();
    println!("{engine}: SSE_SEED={}", options.seed);
    match run::run(Box::new(subject), &options).await {
        Ok(summary) => println!("{engine}: {summary}"),
        Err(failure) => panic!("{engine} with SSE_SEED={}: {failure}", options.seed),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn redb() {
    chaos("redb", faults::Redb::start().await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn redis() {
    chaos("redis", faults::Redis::start(|clock| Box::pin(engines::Redis::start_by(clock))).await)
        .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn valkey() {
    chaos("valkey", faults::Redis::start(|clock| Box::pin(engines::Valkey::start_by(clock))).await)
        .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nats() {
    chaos("nats", faults::Nats::start().await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn postgres() {
    chaos("postgres", faults::Postgres::start().await).await;
}
