//! The program on a log of each engine, as one uses it.

use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use sse_conformance::engines::{Nats, Postgres, Redb, Redis};
use sse_conformance::suite::events::{encoded, event};
use sse_conformance::suite::store_engine::Engine;
use sse_core::store::Store;
use sse_core::{Event, StoreOptions};
use sse_test_kit::eventually::eventually;
use sse_test_kit::program::Program;

const PROGRAM: &str = env!("CARGO_BIN_EXE_look-inside");

/// Returns whether the program ended well, and all that it wrote.
fn run(url: &str, arguments: &[&str]) -> (bool, String) {
    let output = Command::new(PROGRAM).args([url, "prices"]).args(arguments).output();
    let output = output.expect("cargo has built the program");
    let text = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8(text).expect("UTF-8"))
}

/// Appends it, of a topic if it has a key, and returns its id.
async fn append(store: &dyn Store, text: &str, key: Option<&str>) -> String {
    let event = match key {
        Some(key) => {
            let event = Event::new(text).topic("user/7").expect("a topic");
            encoded(event.key(key).expect("a short key"))
        }
        None => event(text),
    };
    let appended = store.append(&[event]).await.expect("stored");
    appended.positions[0].id(appended.epoch).to_string()
}

async fn store(engine: &dyn Engine) -> Arc<dyn Store> {
    engine.open("prices", StoreOptions::default()).await.expect("it runs")
}

async fn it_lists_reads_and_trims_a_log(engine: &dyn Engine) {
    let opened = store(engine).await;
    let first = append(&*opened, "one", None).await;
    let second = append(&*opened, "two", Some("a key")).await;
    drop(opened);
    let url = engine.url();
    if url.starts_with("redb:") {
        // Another process cannot have it before.
        eventually(Duration::from_secs(5), "it is let go", || run(&url, &["list"]).0).await;
    }

    let (is_well, text) = run(&url, &["list"]);
    assert!(is_well, "{text}");
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[0], format!("{first}      10 one"));
    assert_eq!(lines[1], format!("{second}      10 [a key] (user/7) two"));
    assert_eq!(lines[2], format!("newest: {second}"));

    let (is_well, text) = run(&url, &["topics"]);
    assert!(is_well && text == "      1 user/7\n      1 without a topic\n", "{text}");
    let (is_well, text) = run(&url, &["topic", "user/7"]);
    assert!(is_well && text == format!("{second}      10 [a key] (user/7) two\n"), "{text}");
    let (is_well, text) = run(&url, &["topic", "user/8"]);
    assert!(is_well && text.is_empty(), "{text}");

    assert_eq!(run(&url, &["read", &first]), (true, "data: one\n".into()));
    let (is_well, text) = run(&url, &["trim", "1"]);
    assert!(is_well && text == format!("oldest: {second}\n"), "{text}");
    let (is_well, text) = run(&url, &["read", &first]);
    assert!(!is_well && text.contains("is kept"), "{text}");
}

async fn it_follows_a_log(engine: &dyn Engine) {
    let opened = store(engine).await;
    append(&*opened, "from before", None).await;
    let mut command = Command::new(PROGRAM);
    command.args([&engine.url(), "prices", "follow"]);
    let program = Program::spawn(command);
    // It begins with what comes once it is there, and does not say when that is.
    let mut ids = Vec::new();
    while program.output().is_empty() {
        ids.push(append(&*opened, "now", None).await);
        tokio::time::sleep(Duration::from_millis(20)).await;
        assert!(ids.len() < 500, "it writes nothing");
    }
    let last = append(&*opened, "the last", None).await;
    let line = program.says("the last").await;
    assert_eq!(line, format!("{last}      15 the last"));
    let told = program.output();
    let newest = &ids[ids.len() - (told.len() - 1)..];
    assert!(told.iter().zip(newest).all(|(line, id)| line.starts_with(id)), "{told:?}, {ids:?}");
}

macro_rules! engines {
    ($($requirement:ident: $($test:ident $engine:ident),+);+) => {$($(
        #[tokio::test(flavor = "multi_thread")]
        async fn $test() {
            $requirement(&$engine::start().await).await;
        }
    )+)+};
}

engines! {
    it_lists_reads_and_trims_a_log:
        lists_a_log_of_redb Redb, lists_a_log_of_redis Redis, lists_a_log_of_nats Nats, lists_a_log_of_postgres Postgres;
    it_follows_a_log: // redb's file is that of one process
        follows_a_log_of_redis Redis, follows_a_log_of_nats Nats, follows_a_log_of_postgres Postgres
}

#[test]
fn it_says_what_it_cannot_open() {
    let (is_well, text) = run("ftp:somewhere", &["list"]);
    assert!(!is_well && text.contains("is not the URL of a store"), "{text}");
    assert!(text.lines().count() > 5, "how it is used, line by line: {text}");
    let (is_well, text) = run("redb:/nowhere/events.redb", &["list"]);
    assert!(!is_well && text.contains("No such file"), "{text}");
    let (is_well, text) = run("redis:redis://127.0.0.1:1/", &["list"]);
    assert!(!is_well && text.contains("Connection refused"), "{text}");
}
