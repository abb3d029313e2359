//! Appending to logs in a redb file, beside redb alone: what the log adds, as a ratio within one run.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::{Duration, Instant};

use clap::Args;
use futures_util::future::join_all;
use redb::{ReadableTableMetadata, TableDefinition};
use sse_log_redb::{EngineOptions, EventLog, StoreOptions};

/// The amount to measure, and the place of the files.
#[derive(Debug, Clone, Args)]
pub struct Beside {
    /// The folder of the files, on the disk that is measured. They are removed at the end.
    #[arg(long, default_value_os_t = std::env::temp_dir())]
    folder: PathBuf,
    /// The number of rounds of each case: one of the log, and one of redb alone.
    #[arg(long, default_value_t = 7)]
    rounds: usize,
    /// The time that a round takes, in seconds.
    #[arg(long, default_value_t = 1.0)]
    seconds: f64,
    /// The number of publishers that append, each of whom waits for one event before the next.
    #[arg(long, default_value_t = 256)]
    publishers: usize,
    /// The number of bytes of data that an event has.
    #[arg(long, default_value_t = 128)]
    size: usize,
    /// The number of events that a log keeps, if the limit is reached.
    #[arg(long, default_value_t = 10_000)]
    limit: usize,
}

/// One case: so many logs, of which each keeps so many events.
#[derive(Debug, Clone, Copy)]
struct Case {
    logs: usize,
    /// The number of events that a commit of redb alone adds to each of its tables.
    together: usize,
    limit: Option<usize>,
}

/// The result of a round.
#[derive(Debug, Clone, Copy)]
struct Done {
    /// Appends a second.
    rate: f64,
    /// The processor time of this process, in microseconds an append.
    cpu: f64,
}

/// Measures and prints it.
///
/// # Panics
///
/// If a file cannot be written.
pub async fn measure(beside: Beside) {
    let (one, many) = ((1, 256), (50, 5));
    for (logs, together) in [one, many] {
        for limit in [None, Some(beside.limit)] {
            compare(&beside, Case { logs, together, limit }).await;
        }
    }
}

async fn compare(beside: &Beside, case: Case) {
    let folder = beside.folder.join(format!("redb-beside-plain-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("the folder can be made");
    let logs = open(&folder.join("log.redb"), case, beside).await;
    let plain = Arc::new(Plain::open(&folder.join("plain.redb"), case, beside));
    let mut rounds = Vec::new();
    for _ in 0..beside.rounds {
        let ours = measured(append(&logs, beside)).await;
        let alone = {
            let (plain, seconds) = (plain.clone(), beside.seconds);
            measured(async move {
                tokio::task::spawn_blocking(move || plain.append(case, seconds))
                    .await
                    .expect("it has not panicked")
            })
            .await
        };
        rounds.push((ours, alone));
    }
    rounds.sort_by(|(a, b), (c, d)| (a.rate / b.rate).total_cmp(&(c.rate / d.rate)));
    let limit = case.limit.map_or("no limit".to_owned(), |limit| format!("a limit of {limit}"));
    println!("{} log(s), {} publishers, {limit}:", case.logs, beside.publishers);
    let ratio = |(ours, alone): &(Done, Done)| ours.rate / alone.rate;
    for (ours, alone) in &rounds {
        println!(
            "  {:>8.0}/s, {:>5.1} us CPU; redb alone {:>8.0}/s, {:>5.1} us: {:.2}",
            ours.rate,
            ours.cpu,
            alone.rate,
            alone.cpu,
            ours.rate / alone.rate
        );
    }
    println!("  the median: {:.2}", ratio(&rounds[rounds.len() / 2]));
    drop((logs, plain));
    let closed = sse_log_redb::closed(folder.join("log.redb"), Duration::from_secs(60)).await;
    assert!(closed.expect("a thread can wait"), "the file is closed");
    std::fs::remove_dir_all(&folder).expect("the folder can be removed");
}

async fn measured(appending: impl Future<Output = usize>) -> Done {
    let (cpu, begun) = (cpu(), Instant::now());
    let appended = appending.await as f64;
    let took = begun.elapsed().as_secs_f64();
    Done { rate: appended / took, cpu: (self::cpu() - cpu).as_secs_f64() * 1e6 / appended }
}

async fn open(path: &Path, case: Case, beside: &Beside) -> Vec<EventLog> {
    let redb = sse_log_redb::connect(path, EngineOptions::default()).await.expect("a file");
    let options = StoreOptions::new().events(case.limit.unwrap_or(1 << 30));
    let mut logs = Vec::new();
    for log in 0..case.logs {
        let log =
            redb.open(&format!("log-{log}"), options.clone()).await.expect("it can be opened");
        let mut left = case.limit.unwrap_or(0);
        while left > 0 {
            let events = vec!["x".repeat(beside.size); left.min(1000)];
            left -= events.len();
            log.append_all(events).await.expect("they are stored");
        }
        logs.push(log);
    }
    logs
}

/// Appends for as long as a round takes: each publisher to all logs in turn, another one at a time than its neighbours.
async fn append(logs: &[EventLog], beside: &Beside) -> usize {
    let appended = Arc::new(AtomicUsize::new(0));
    let end = Instant::now() + Duration::from_secs_f64(beside.seconds);
    let publishers = (0..beside.publishers).map(|publisher| {
        let (logs, appended, data) = (logs.to_vec(), appended.clone(), "x".repeat(beside.size));
        tokio::spawn(async move {
            let mut next = publisher;
            while Instant::now() < end {
                next += 1;
                logs[next % logs.len()].append(data.as_str()).await.expect("it is stored");
                appended.fetch_add(1, Relaxed);
            }
        })
    });
    for publisher in join_all(publishers).await {
        publisher.expect("it has not panicked");
    }
    appended.load(Relaxed)
}

/// redb alone: a table for each log, in which the events are by their numbers, as a log stores them.
struct Plain {
    database: redb::Database,
    event: Vec<u8>,
}

type Events<'n> = TableDefinition<'n, u64, (u64, &'static str, &'static [u8])>;

impl Plain {
    fn open(path: &Path, case: Case, beside: &Beside) -> Self {
        let mut builder = redb::Builder::new();
        builder.set_cache_size(EngineOptions::default().cache_bytes);
        let database = builder.create(path).expect("a file");
        let event = format!("data: {}\n", "x".repeat(beside.size)).into_bytes();
        let plain = Self { database, event };
        for _ in 0..case.limit.unwrap_or(0).div_ceil(1000) {
            plain.commit(Case { together: 1000, ..case });
        }
        plain
    }

    fn append(&self, case: Case, seconds: f64) -> usize {
        let (begun, mut appended) = (Instant::now(), 0);
        while begun.elapsed().as_secs_f64() < seconds {
            self.commit(case);
            appended += case.logs * case.together;
        }
        appended
    }

    /// Adds so many events to each table, and removes as many as are over the limit.
    fn commit(&self, case: Case) {
        let txn = self.database.begin_write().expect("it can be written");
        for log in 0..case.logs {
            let name = format!("log-{log}");
            let mut table = txn.open_table(Events::new(&name)).expect("a table");
            let newest = redb::ReadableTable::last(&table).expect("it can be read");
            let newest = newest.map_or(0, |(newest, _)| newest.value());
            for number in 1..=case.together as u64 {
                let row = (number, "", &*self.event);
                table.insert(newest + number, row).expect("it can be written");
            }
            while case.limit.is_some_and(|limit| table.len().expect("a number") > limit as u64) {
                table.pop_first().expect("it can be written");
            }
        }
        txn.commit().expect("it can be written");
    }
}

/// Returns the time for which this process has computed: user and system, in hundredths of a second.
fn cpu() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").expect("Linux");
    let after_name = stat.rsplit_once(')').expect("the name is in parentheses").1;
    let ticks: u64 = after_name
        .split_ascii_whitespace()
        .skip(11)
        .take(2)
        .map(|ticks| ticks.parse::<u64>().expect("a number"))
        .sum();
    Duration::from_millis(ticks * 10)
}
