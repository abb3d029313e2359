//! An order and its event: both are there, or neither is.

use std::net::SocketAddr;
use std::time::Duration;

use sse_test_kit::engines::{Located, Postgres};
use sse_test_kit::program::Program;
use sse_test_kit::wire::{PATIENCE, Request, Response};

async fn program(postgres: &Postgres) -> Program {
    let url = postgres.url();
    let (_, url) = url.split_once(':').expect("the name of an engine, and its URL");
    Program::start_with(env!("CARGO_BIN_EXE_outbox"), &[("DATABASE", url)]).await
}

/// Returns the status of the answer, if there is one.
async fn order(address: SocketAddr, item: &str) -> Option<u16> {
    let answer = Request::post("/orders", item).try_send(address).await;
    answer.ok().map(|answer| answer.status)
}

/// The numbers of the orders that the database has.
async fn orders(postgres: &Postgres) -> Vec<i64> {
    let (client, _driver) = postgres.client().await.expect("it runs");
    let rows = client.query("SELECT number FROM orders ORDER BY number", &[]).await;
    rows.expect("the table is there").iter().map(|row| row.get(0)).collect()
}

/// The numbers of so many orders that events tell of.
async fn told(stream: &mut Response, count: usize) -> Vec<i64> {
    let events = stream.events(count).await;
    let numbers = events.iter().map(|event| {
        assert_eq!(event.event_type, "ordered");
        let data: serde_json::Value = serde_json::from_str(&event.data).expect("JSON");
        data["number"].as_i64().expect("a number")
    });
    let mut numbers: Vec<_> = numbers.collect();
    numbers.sort_unstable();
    numbers
}

/// Checks that no further event comes.
async fn nothing_more(stream: &mut Response) {
    let more = tokio::time::timeout(Duration::from_millis(700), stream.event_or_end()).await;
    assert!(more.is_err(), "an event of no order: {more:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_that_is_rolled_back_has_no_event() {
    let postgres = Postgres::start().await;
    let program = program(&postgres).await;
    let mut stream = Request::get("/events").send(program.address).await;

    // Thirty at the same time, of twenty pieces.
    let address = program.address;
    let all: Vec<_> =
        (0..30).map(|_| tokio::spawn(async move { order(address, "tea").await })).collect();
    let mut statuses = Vec::new();
    for one in all {
        statuses.push(one.await.expect("it does not panic").expect("an answer"));
    }
    statuses.sort_unstable();
    assert_eq!(statuses, [vec![201; 20], vec![409; 10]].concat());

    let orders = orders(&postgres).await;
    assert_eq!(orders.len(), 20);
    assert_eq!(told(&mut stream, 20).await, orders);
    nothing_more(&mut stream).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_is_killed_leaves_no_order_without_its_event_and_no_event_without_its_order()
{
    let postgres = Postgres::start().await;
    let killed = program(&postgres).await;
    let address = killed.address;
    let ordering: Vec<_> = (0..8)
        .map(|_| {
            tokio::spawn(async move {
                // Until it is gone.
                while order(address, "coffee").await.is_some() {}
            })
        })
        .collect();
    let enough = async {
        while orders(&postgres).await.len() < 40 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(PATIENCE, enough).await.expect("40 orders within 5 s");
    drop(killed);
    for one in ordering {
        one.await.expect("it does not panic");
    }

    let again = program(&postgres).await;
    let orders = orders(&postgres).await;
    let mut stream = Request::get("/events").send(again.address).await;
    assert_eq!(told(&mut stream, orders.len()).await, orders);
    nothing_more(&mut stream).await;
}
