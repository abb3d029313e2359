//! An order and its event in one Postgres transaction: both are there, or neither is.
//!
//!     DATABASE=postgres://postgres@127.0.0.1/postgres cargo run -p outbox
#![forbid(unsafe_code)]

mod failed;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::{get, post};
use deadpool_postgres::{Pool, Runtime, tokio_postgres::NoTls};
use serde_json::json;
use sse_axum::{Event, EventLog, EventType, Sse, SseRequest, Start, listener, stream_events};
use sse_log_postgres::PostgresStore;

use failed::Failed;

const ORDERED: EventType = EventType::from_static("ordered");

const TABLES: &str = "
    CREATE TABLE IF NOT EXISTS orders (number BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, item TEXT NOT NULL);
    CREATE TABLE IF NOT EXISTS stock (item TEXT PRIMARY KEY, pieces INT NOT NULL);
    INSERT INTO stock VALUES ('tea', 20), ('coffee', 1000) ON CONFLICT DO NOTHING;";

#[derive(Clone)]
struct App {
    database: Pool,
    /// The store to which the transactions of the application append events.
    store: PostgresStore,
    /// The log from which clients read them.
    log: EventLog,
}

async fn events(State(app): State<App>, request: SseRequest) -> Sse {
    stream_events(request, app.log.feed().start_at(Start::Oldest))
}

/// Orders one piece of the item that the body names.
async fn order(State(app): State<App>, item: String) -> Result<(StatusCode, String), Failed> {
    let mut connection = app.database.get().await?;
    let transaction = connection.transaction().await?;

    let insert = "INSERT INTO orders (item) VALUES ($1) RETURNING number";
    let number: i64 = transaction.query_one(insert, &[&item]).await?.get(0);
    let event = Event::json(&json!({ "number": number, "item": item }))?.event_type(ORDERED);
    app.store.append_in(&transaction, event).await?;

    let take = "UPDATE stock SET pieces = pieces - 1 WHERE item = $1 AND pieces > 0";
    if transaction.execute(take, &[&item]).await? == 0 {
        // It is rolled back, and the event with the order.
        return Ok((StatusCode::CONFLICT, format!("no {item} is left")));
    }
    transaction.commit().await?;
    Ok((StatusCode::CREATED, number.to_string()))
}

#[tokio::main]
async fn main() -> Result<(), Failed> {
    tracing_subscriber::fmt::init(); // shows what the library warns of, such as a store that is away
    let local = || "postgres://postgres@127.0.0.1/postgres".into();
    let url = std::env::var("DATABASE").unwrap_or_else(|_| local());
    let config = deadpool_postgres::Config { url: Some(url.clone()), ..Default::default() };
    let database = config.create_pool(Some(Runtime::Tokio1), NoTls)?;
    database.get().await?.batch_execute(TABLES).await?;

    let postgres = sse_log_postgres::connect(&url, Default::default()).await?;
    let store = postgres.store("orders", Default::default()).await?;
    let log = sse_log_postgres::open_store(store.clone()).await?;
    let stop = log.shutdown().begin_after(tokio::signal::ctrl_c());

    let listener = listener(look::address())?;
    println!("listening on http://{}", listener.local_addr()?);
    let app = Router::new().route("/orders", post(order)).route("/events", get(events));
    let app = app.with_state(App { database, store, log });
    Ok(axum::serve(listener, app).with_graceful_shutdown(stop).await?)
}
