use sse_warp::{EventLog, OnGap, Sse, SseRequest, listener, sse_request, stream_events};
use warp::{Filter, get, path};

fn events(log: &EventLog, request: SseRequest) -> Sse {
    stream_events(request, log.feed().on_gap(OnGap::StartOver))
}

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let log = hello::with_clock(EventLog::in_memory(1000));
    let stop = log.shutdown().begin_after(tokio::signal::ctrl_c());
    let page = path::end().map(|| warp::reply::html(hello::PAGE));
    let app = path!("events").and(sse_request()).map(move |request| events(&log, request)).or(page);
    warp::serve(get().and(app)).incoming(listener("127.0.0.1:3000")?).graceful(stop).run().await;
    Ok(())
}
