//! The picture of the README: a page of the hello-world that is cut off, and comes back.

use std::path::Path;

use axum::routing::get;
use axum::{Router, extract::State, response::Html};
use serde_json::json;
use sse_axum::{EventLog, Sse, SseRequest, listener, stream_events};
use sse_test_kit::browser::Chromium;
use sse_test_kit::lines::Line;

use crate::blocks::root;

async fn events(State(log): State<EventLog>, request: SseRequest) -> Sse {
    stream_events(request, log)
}

/// With `SSE_PICTURES=1` it is taken again.
#[tokio::test]
async fn the_page_of_the_hello_world_resumes_as_the_picture_shows() {
    let log = hello::with_clock(EventLog::in_memory(1000));
    let app = Router::new().route("/events", get(events)).route("/", get(Html(hello::PAGE)));
    let server = listener("127.0.0.1:0").expect("a free port");
    let line = Line::to(server.local_addr().expect("it is bound")).await;
    let serving = tokio::spawn(axum::serve(server, app.with_state(log)).into_future());

    let chromium = Chromium::start().await;
    chromium.is_seen(500, 620, "light").await;
    chromium.open(&format!("http://{}/", line.address)).await;
    chromium.until("document.querySelectorAll('li').length == 4").await;
    let mut pictures = vec![picture(&chromium).await];

    line.cut();
    chromium.until("document.querySelector('#state').textContent == 'reconnecting'").await;
    pictures.push(picture(&chromium).await);
    tokio::time::sleep(std::time::Duration::from_secs(3)).await; // for something to be missed
    line.mend();
    chromium.until("document.querySelector('li.note')").await;
    chromium.until("document.querySelector('#state').textContent == 'live'").await;
    pictures.push(picture(&chromium).await);

    let missed = chromium.texts("li.missed span").await;
    assert!(missed.len() > 1, "what was missed is marked: {missed:?}");
    assert!(missed.iter().all(|time| time.len() == 8), "and short: {missed:?}");
    let note = chromium.texts("li.note").await;
    assert_eq!(note.len(), 1, "one note of the cut, and no reset: {note:?}");
    let positions = chromium.texts("li:not(.note) code").await;
    let positions = positions.iter().rev().filter_map(|id| id.split_once('.'));
    let positions: Vec<u64> = positions.map(|(_, at)| at.parse().expect("a number")).collect();
    let whole: Vec<u64> = (positions[0]..positions[0] + positions.len() as u64).collect();
    assert_eq!(positions, whole, "every event once, in order");
    assert!(positions.len() > 6, "some came while it was away: {positions:?}");
    serving.abort();

    if std::env::var_os("SSE_PICTURES").is_some() {
        side_by_side(&chromium, &pictures, &root().join("docs/resume.png")).await;
    }
}

/// Returns a screenshot of the page, as a URL.
async fn picture(chromium: &Chromium) -> String {
    use base64::Engine;
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("picture.png");
    chromium.photograph(&file).await;
    let bytes = std::fs::read(file).expect("it was written");
    let text = base64::engine::general_purpose::STANDARD.encode(bytes);
    format!("data:image/png;base64,{text}")
}

async fn side_by_side(chromium: &Chromium, pictures: &[String], file: &Path) {
    chromium.is_seen(1560, 690, "light").await;
    chromium.open("about:blank").await;
    let script = "
        document.body.style = 'margin: 0; display: flex; gap: 15px; padding: 10px 15px; background: #fff; font: 600 22px system-ui, sans-serif';
        const titles = ['Live', 'The line is cut', 'Back: what was missed, nothing twice'];
        for (const [at, url] of [...arguments].entries()) {
            const figure = document.body.appendChild(document.createElement('figure'));
            figure.style = 'margin: 0';
            figure.appendChild(document.createElement('figcaption')).textContent = titles[at];
            const image = figure.appendChild(document.createElement('img'));
            image.style = 'border: 1px solid #ccc; border-radius: 8px; margin-top: 8px';
            image.src = url;
        }";
    chromium.execute(script, json!(pictures)).await;
    chromium
        .until("[...document.images].every((image) => image.complete && image.naturalWidth)")
        .await;
    chromium.photograph(file).await;
}
