//! The script of `docs/clients.md` for a browser that has given up, run by Chromium.

use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use axum::{Router, extract::State};
use serde_json::json;
use sse_axum::{EventLog, SseRequest, listener, stream_events};
use sse_test_kit::browser::Chromium;
use sse_test_kit::lines::Line;
use tokio::sync::watch;

use crate::blocks::blocks;

/// The part of the page that the docs leave to the application.
const APPLICATION: &str = "<script>
    let shown = []
    function show(text) { shown.push(text) }
</script>";

#[derive(Clone)]
struct App {
    log: EventLog,
    /// True while the server answers as a proxy does whose application restarts.
    is_away: watch::Receiver<bool>,
}

async fn events(State(app): State<App>, request: SseRequest) -> Response {
    if *app.is_away.borrow() {
        return StatusCode::BAD_GATEWAY.into_response();
    }
    stream_events(request, app.log).into_response()
}

#[tokio::test]
async fn a_page_whose_browser_gave_up_opens_another_and_resumes() {
    let page = include_str!("../../docs/clients.md");
    let is_wanted = |heading: &str| heading == "A browser that has given up";
    let script = blocks(page).into_iter().find(|block| is_wanted(&block.heading));
    let script = script.expect("the page shows what to do").text;
    let html = format!("<!doctype html><title>x</title>{APPLICATION}<script>{script}</script>");
    let (away, is_away) = watch::channel(false);
    let app = App { log: EventLog::in_memory(10), is_away };
    let router = Router::new()
        .route("/", get(Html(html)))
        .route("/events", get(events))
        .with_state(app.clone());
    let server = listener("127.0.0.1:0").expect("a free port");
    let line = Line::to(server.local_addr().expect("it is bound")).await;
    let serving = tokio::spawn(axum::serve(server, router).into_future());

    let chromium = Chromium::start().await;
    chromium.open(&format!("http://{}/", line.address)).await;
    chromium.until("source.readyState == EventSource.OPEN").await;
    app.log.append("live").await.expect("a short event");
    chromium.until("shown.length == 1").await;

    away.send_replace(true);
    line.cut();
    chromium.until("source.readyState == EventSource.CONNECTING").await;
    app.log.append("missed").await.expect("a short event");
    line.mend();
    chromium.until("source.readyState == EventSource.CLOSED").await;
    chromium.until("wait >= 2000").await;
    away.send_replace(false);
    chromium.until("shown.length == 2").await;
    assert_eq!(chromium.value("shown").await, json!(["live", "missed"]));
    assert_eq!(chromium.value("wait").await, 1000, "the next time it begins with a short wait");
    serving.abort();
}
