//! The cost of topics, as numbers of commands and bytes.

use std::collections::BTreeMap;

use sse_conformance::engines::Redis;
use sse_core::StoreOptions;
use sse_core::store::EncodedEvent;

use crate::tools::{append, command, event, filter, of_topics, open_with, read_topics, stat};

/// Returns how often each command has been called.
async fn calls(redis: &Redis) -> BTreeMap<String, usize> {
    let stats = command(redis, "INFO commandstats").await;
    let lines = stats.lines().filter_map(|line| line.strip_prefix("cmdstat_")?.split_once(':'));
    let calls = lines.map(|(name, rest)| {
        let calls = rest.split(['=', ',']).nth(1).expect("a number");
        (name.to_owned(), calls.parse().expect("a number"))
    });
    calls.filter(|(name, _)| name != "info").collect()
}

fn difference(
    before: &BTreeMap<String, usize>,
    after: &BTreeMap<String, usize>,
) -> Vec<(String, usize)> {
    let grown = after
        .iter()
        .map(|(name, calls)| (name.clone(), calls - before.get(name).copied().unwrap_or_default()));
    grown.filter(|(_, calls)| *calls > 0).collect()
}

async fn cpu(redis: &Redis) -> f64 {
    let info = command(redis, "INFO cpu").await;
    let part = |name| info.lines().find_map(|line| line.strip_prefix(name)).expect("a line");
    ["used_cpu_user:", "used_cpu_sys:"].map(|n| part(n).parse::<f64>().expect("s")).iter().sum()
}

#[tokio::test]
async fn a_client_of_a_rare_topic_is_served_without_reading_the_log() {
    let redis = Redis::start().await;
    let store = open_with(&redis, StoreOptions::new().events(200_000)).await;
    let mut without = 0;
    for part in 0..100 {
        let batch: Vec<_> = (0..1000)
            .map(|n| {
                let text = format!("{n:0120}");
                match n {
                    500 => of_topics(text, ["rare", "other"]),
                    _ if part % 10 == 0 && n % 100 == 7 => {
                        without += 1;
                        event(text)
                    }
                    _ => of_topics(text, [format!("user/{}", (part * 7919 + n) % 10_000)]),
                }
            })
            .collect::<Vec<EncodedEvent>>();
        store.append(&batch).await.expect("stored");
    }
    for (topics, takes_without, expected) in [
        (vec!["rare"], false, 100),
        (vec!["rare"], true, 100 + without),
        (vec!["nobody"], false, 0),
    ] {
        let filter = filter(topics, takes_without);
        let sent = stat(&redis, "stats", "total_net_output_bytes").await;
        let before = calls(&redis).await;
        let events = read_topics(&*store, &filter).await;
        assert_eq!(events.len(), expected);
        let commands: usize =
            difference(&before, &calls(&redis).await).iter().map(|(_, n)| n).sum();
        let bytes = stat(&redis, "stats", "total_net_output_bytes").await - sent;
        let begun = cpu(&redis).await;
        for _ in 0..100 {
            read_topics(&*store, &filter).await;
        }
        let took = (cpu(&redis).await - begun) * 10_000.0;
        println!("{expected} events: {commands} commands, {bytes} bytes, {took:.0} us of CPU");
        // A call to the bounds is 5 commands.
        assert!(commands <= 40 + 2 * expected, "{commands} commands for {expected} events");
        assert!(bytes <= 10_000 + 300 * expected, "{bytes} bytes for {expected} events");
    }
}

/// The commands, and the bytes that a replica or an append-only file gets.
#[tokio::test]
async fn an_append_without_topics_costs_the_same_in_a_log_that_has_topics() {
    let mut costs = Vec::new();
    for topics in [&[][..], &["a", "b"]] {
        let redis = Redis::start_with(&["--appendonly", "yes", "--appendfsync", "no"]).await;
        let store = open_with(&redis, StoreOptions::new().events(100)).await;
        let first: Vec<_> = (0..50).map(|n| of_topics(n, topics)).collect();
        store.append(&first).await.expect("stored");
        for n in 0..200 {
            append(&*store, format_args!("{n:03}")).await;
        }
        let written = stat(&redis, "persistence", "aof_current_size").await;
        let before = calls(&redis).await;
        for n in 200..1000 {
            append(&*store, n).await;
        }
        let bytes = stat(&redis, "persistence", "aof_current_size").await - written;
        let grown = difference(&before, &calls(&redis).await);
        println!("an append without topics: {} bytes, {grown:?} for 800", bytes / 800);
        costs.push((grown, bytes / 800));
    }
    let [(commands, bytes), (commands_with, bytes_with)] = &costs[..] else { unreachable!() };
    assert_eq!(commands, commands_with);
    // A position in the index would add 60 bytes; the time in ids and fields may have some digits more.
    assert!(bytes.abs_diff(*bytes_with) < 40, "{bytes} and {bytes_with} bytes");
}
