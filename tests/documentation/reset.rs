//! The script of `docs/replay.md` for a `reset`, run by Chromium.

use std::sync::{Arc, Mutex};

use axum::response::Html;
use axum::routing::get;
use axum::{Json, Router, extract::State};
use serde_json::json;
use sse_axum::{EventLog, EventType, Sse, SseRequest, listener, stream_events};
use sse_test_kit::browser::Chromium;
use sse_test_kit::lines::Line;

use crate::blocks::blocks;

const OPENED: EventType = EventType::from_static("opened");

/// The part of the page that the docs leave to the application, which counts the states that it is shown.
const APPLICATION: &str = "<script>
    let items = [], shown = 0
    function show(state) { items = state; shown++ }
    function apply(event) { if (!items.includes(event.data)) items.push(event.data) }
</script>";

#[derive(Clone)]
struct App {
    log: EventLog,
    state: Arc<Mutex<Vec<String>>>,
}

impl App {
    async fn add(&self, text: &str) {
        self.state.lock().expect("nobody has panicked").push(text.to_owned());
        self.log.append(text).await.expect("a short event");
    }
}

async fn events(State(app): State<App>, request: SseRequest) -> Sse {
    stream_events(request, app.log.feed().position_event(OPENED))
}

async fn state(State(app): State<App>) -> Json<Vec<String>> {
    Json(app.state.lock().expect("nobody has panicked").clone())
}

#[tokio::test]
async fn a_page_that_is_reset_shows_the_whole_state_again() {
    let page = include_str!("../../docs/replay.md");
    let script = blocks(page).into_iter().find(|block| block.language == "js");
    let script = script.expect("the page shows what to do").text;
    let html = format!("<!doctype html><title>x</title>{APPLICATION}<script>{script}</script>");
    let app = App { log: EventLog::in_memory(2), state: Arc::default() };
    let router = Router::new()
        .route("/", get(Html(html)))
        .route("/events", get(events))
        .route("/state", get(state))
        .with_state(app.clone());
    let server = listener("127.0.0.1:0").expect("a free port");
    let line = Line::to(server.local_addr().expect("it is bound")).await;
    let serving = tokio::spawn(axum::serve(server, router).into_future());

    app.add("before").await;
    let chromium = Chromium::start().await;
    chromium.open(&format!("http://{}/", line.address)).await;
    chromium.until("items.length == 1").await;
    app.add("live").await;
    chromium.until("items.length == 2").await;

    line.cut();
    chromium.until("source.readyState == EventSource.CONNECTING").await;
    for text in ["lost", "lost, too", "kept", "kept, too"] {
        app.add(text).await;
    }
    line.mend();
    chromium.until("items.length == 6").await;
    assert_eq!(chromium.value("shown").await, 2, "once on opening, once on the reset");
    let all = json!(["before", "live", "lost", "lost, too", "kept", "kept, too"]);
    assert_eq!(chromium.value("items").await, all);
    serving.abort();
}
