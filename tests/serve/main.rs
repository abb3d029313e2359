//! The program `serve` over each store, through each framework: what one process was given, another one after it still has.

use std::process::Command;

use sse_conformance::engines::{Nats, Postgres, Redb, Redis};
use sse_conformance::suite::store_engine::Engine;
use sse_test_kit::program::Program;
use sse_test_kit::wire::{Request, Response};

macro_rules! every_framework {
    ($($store:ident: $engine:ident),+) => {$(
        mod $store {
            use super::*;

            every_framework!(@ $engine axum actix warp rocket);
        }
    )+};
    (@ $engine:ident $($framework:ident)+) => {$(
        #[tokio::test(flavor = "multi_thread")]
        async fn $framework() {
            let engine = $engine::start().await;
            goes_on_in_another_process(stringify!($framework), &engine).await;
        }
    )+};
}

every_framework!(redb: Redb, redis: Redis, nats: Nats, postgres: Postgres);

async fn goes_on_in_another_process(framework: &str, engine: &dyn Engine) {
    let first = serve(framework, engine).await;
    post(&first, "/publish", "one").await;
    let seen = post(&first, "/publish", "two").await;
    post(&first, "/publish", "three").await;
    post(&first, "/publish/b", "other").await;
    let mut client = get(&first, "/events", &seen).await;
    assert_eq!(texts(&mut client, 1).await, ["three"]);
    let mut merged = get(&first, "/merged?start=oldest", "").await;
    assert_eq!(texts(&mut merged, 4).await.len(), 4);
    drop(first); // which kills it

    let second = serve(framework, engine).await;
    let mut client = get(&second, "/events", &seen).await;
    let fourth = post(&second, "/publish", "four").await;
    assert_eq!(texts(&mut client, 2).await, ["three", "four"]);
    let mut all = get(&second, "/events?start=oldest", "").await;
    assert_eq!(texts(&mut all, 4).await, ["one", "two", "three", "four"]);
    let mut last = get(&second, "/events?start=last-2", "").await;
    assert_eq!(texts(&mut last, 2).await, ["three", "four"]);
    let mut live = get(&second, "/events?start=live", "").await;
    post(&second, "/publish", "five").await;
    assert_eq!(texts(&mut live, 1).await, ["five"]);

    post(&second, "/finish", "").await;
    let rest = get(&second, "/events", &fourth).await.event_or_end().await;
    assert_eq!(rest.expect("what comes before the end").data, "five");
    drop(second);
    let third = serve(framework, engine).await;
    assert_eq!(get(&third, "/events", "").await.status, 204, "it stays finished");
}

async fn serve(framework: &str, engine: &dyn Engine) -> Program {
    let mut command = Command::new(env!("CARGO_BIN_EXE_serve"));
    command.args(["--framework", framework, "--store", &engine.url()]);
    Program::run(command).await
}

/// Returns the answer, which for an event is its id.
async fn post(to: &Program, path: &str, text: &str) -> String {
    let mut answer = Request::post(path, text).send(to.address).await;
    answer.end().await;
    let body = String::from_utf8_lossy(answer.bytes()).into_owned();
    assert_eq!(answer.status, 200, "{body}");
    body
}

async fn get(from: &Program, path: &str, last_event_id: &str) -> Response {
    Request::get(path).header("Last-Event-ID", last_event_id).send(from.address).await
}

/// The data of the next so many events.
async fn texts(client: &mut Response, count: usize) -> Vec<String> {
    client.events(count).await.into_iter().map(|event| event.data).collect()
}
