use axum::{Router, extract::State, response::Html, routing::get};
use sse_axum::{EventLog, OnGap, Sse, SseRequest, listener, stream_events};

async fn events(State(log): State<EventLog>, request: SseRequest) -> Sse {
    stream_events(request, log.feed().on_gap(OnGap::StartOver))
}

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let log = hello::with_clock(EventLog::in_memory(1000));
    let stop = log.shutdown().begin_after(tokio::signal::ctrl_c());
    let page = get(Html(hello::PAGE));
    let app = Router::new().route("/events", get(events)).route("/", page).with_state(log);
    let server = axum::serve(listener("127.0.0.1:3000")?, app).with_graceful_shutdown(stop);
    server.await
}
