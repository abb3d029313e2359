//! The page of `serve`, on a redb file that the tests make.

use std::process::Command;
use std::time::Duration;

use reqwest::{Client, StatusCode};
use serde_json::Value;
use sse_conformance::engines::{Redb, Redis};
use sse_conformance::suite::events::{encoded, event};
use sse_conformance::suite::store_engine::Engine;
use sse_core::store::Store;
use sse_core::{Event, StoreOptions};
use sse_test_kit::browser::Chromium;
use sse_test_kit::cookbook::is_fit_to_be_seen;
use sse_test_kit::eventually::eventually;
use sse_test_kit::program::Program;

const PROGRAM: &str = env!("CARGO_BIN_EXE_look-inside");
/// An event that would be markup if a page did not escape it.
const MARKUP: &str = "<img src=x onerror=\"document.title='run'\">";

/// Serves a log named `prices` with three events.
async fn serve(engine: &dyn Engine, arguments: &[&str]) -> Program {
    let store = engine.open("prices", StoreOptions::default()).await.expect("it runs");
    let of_topic = Event::new("two").topic("user/7").expect("a topic");
    let events = [event("one"), encoded(of_topic), event(MARKUP)];
    store.append(&events).await.expect("stored");
    drop(store);
    // Another process cannot have the file of redb before.
    let list = || Command::new(PROGRAM).args([&engine.url(), "prices", "list"]).output();
    let is_free = || list().is_ok_and(|listed| listed.status.success());
    eventually(Duration::from_secs(10), "another process can open it", is_free).await;
    let mut command = Command::new(PROGRAM);
    command.args(["serve", &engine.url()]).args(arguments).env("PORT", "0");
    Program::run(command).await
}

async fn token(program: &Program) -> String {
    let line = program.says("token: ").await;
    line.strip_prefix("token: ").expect("a line of its own").to_owned()
}

async fn append(program: &Program, token: &str) -> StatusCode {
    let url = format!("http://{}/logs/prices/append", program.address);
    let request = Client::new().post(url).header("X-Token", token).body("by hand");
    request.send().await.expect("it answers").status()
}

async fn json(program: &Program, path: &str) -> Value {
    let answer = Client::new().get(format!("http://{}/{path}", program.address)).send().await;
    let text = answer.expect("it answers").text().await.expect("a text");
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn it_listens_on_loopback_and_lists_the_logs_of_a_file() {
    let engine = Redb::start().await;
    let program = serve(&engine, &[]).await;
    assert!(program.address.ip().is_loopback());
    let logs = json(&program, "logs").await;
    assert_eq!((logs[0]["name"].as_str(), logs[1].is_null()), (Some("prices"), true), "{logs}");
    let log = json(&program, "logs/prices").await;
    assert_eq!((log["events"].as_u64(), log["is_whole"].as_bool()), (Some(3), Some(true)), "{log}");
    assert_eq!(log["topics"].to_string(), r#"[["user/7",1]]"#);
    assert!(log["oldest"].as_str().is_some_and(|id| id.ends_with(".1")), "{log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn another_host_is_refused() {
    let engine = Redis::start().await;
    let program = serve(&engine, &[]).await;
    let ask = async |host: &str| {
        let request = Client::new().get(format!("http://{}/logs", program.address));
        request.header("Host", host).send().await.expect("it answers").status()
    };
    let port = program.address.port();
    assert_eq!(ask("elsewhere.example").await, StatusCode::MISDIRECTED_REQUEST);
    assert_eq!(ask(&format!("elsewhere.example:{port}")).await, StatusCode::MISDIRECTED_REQUEST);
    assert_eq!(ask(&format!("localhost:{port}")).await, StatusCode::OK);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_post_without_the_token_is_refused() {
    let engine = Redis::start().await;
    let program = serve(&engine, &["--write"]).await;
    let token = token(&program).await;
    assert_eq!(append(&program, "").await, StatusCode::FORBIDDEN);
    assert_eq!(append(&program, &token[1..]).await, StatusCode::FORBIDDEN);
    assert_eq!(json(&program, "logs/prices").await["events"], 3);
    assert_eq!(append(&program, &token).await, StatusCode::OK);
    assert_eq!(json(&program, "logs/prices").await["events"], 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_read_only_unless_it_was_told_to_write() {
    let engine = Redis::start().await;
    let program = serve(&engine, &[]).await;
    program.says("read-only").await;
    assert!(!program.output().iter().any(|line| line.contains("token: ")), "there is none");
    assert_eq!(append(&program, "").await, StatusCode::FORBIDDEN);
    assert_eq!(json(&program, "logs/prices").await["events"], 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_is_not_there_is_not_made() {
    let engine = Redis::start().await;
    let program = serve(&engine, &["--write"]).await;
    let url = format!("http://{}/logs/other/append", program.address);
    let request = Client::new().post(url).header("X-Token", token(&program).await).body("x");
    assert_eq!(request.send().await.expect("it answers").status(), StatusCode::NOT_FOUND);
    assert_eq!(json(&program, "logs").await[1], Value::Null);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_shows_what_comes_as_text_and_appends_by_hand() {
    let engine = Redis::start().await;
    let program = serve(&engine, &["--write"]).await;
    let chromium = Chromium::start().await;
    chromium.open(&format!("http://{}/", program.address)).await;
    chromium.until("$('logs').childElementCount === 1").await;
    chromium.value("document.querySelector('#logs button').click()").await;
    chromium.until("$('events').childElementCount === 3").await;
    chromium.until("$('tally').textContent === '3 events'").await;
    let texts = chromium.texts("#events pre").await;
    assert_eq!(texts[0].trim_end(), format!("data: {MARKUP}"), "the newest is first");
    assert_eq!(chromium.value("document.querySelectorAll('main img').length").await, 0);
    assert_eq!(chromium.value("document.title").await, "Look inside");

    chromium.value("$('token').focus()").await;
    chromium.press("wrong").await;
    chromium.value("$('text').focus()").await;
    chromium.press("by hand\u{e007}").await;
    chromium.until("$('failure').textContent.includes('403')").await;
    chromium.value(&format!("$('token').value = '{}'", token(&program).await)).await;
    chromium.press("\u{e007}").await;
    chromium.until("$('events').childElementCount === 4 && $('text').value === ''").await;
    assert_eq!(chromium.texts("#events pre").await[0].trim_end(), "data: by hand");
    chromium.until("$('size').textContent.startsWith('4 events, ')").await;
    let another = engine.open("prices", StoreOptions::default()).await.expect("it runs");
    another.append(&[event("by another process")]).await.expect("stored");
    chromium.until("$('tally').textContent === '5 events'").await;
    chromium.until("$('size').textContent.startsWith('5 events, ')").await;
    is_fit_to_be_seen(&chromium, env!("CARGO_MANIFEST_DIR")).await;
}
