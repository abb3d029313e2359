use poem::{Response, Route, Server, endpoint::make_sync, http, listener::TcpAcceptor, web::Html};
use sse_http::{EventLog, EventStreamBody, OnGap, Sse, SseRequest, listener, stream_events};

fn events(log: &EventLog, request: SseRequest) -> Sse {
    stream_events(request, log.feed().on_gap(OnGap::StartOver))
}

fn answer(log: &EventLog, request: poem::Request) -> Response {
    let request = SseRequest::new(request.method(), request.uri(), request.headers());
    http::Response::<EventStreamBody>::from(events(log, request)).into()
}

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let log = hello::with_clock(EventLog::in_memory(1000));
    let stop = log.shutdown().begin_after(tokio::signal::ctrl_c());
    let events = make_sync(move |request| answer(&log, request));
    let app = Route::new().at("/events", events).at("/", make_sync(|_| Html(hello::PAGE)));
    let server = Server::new_with_acceptor(TcpAcceptor::from_tokio(listener("127.0.0.1:3000")?)?);
    server.run_with_graceful_shutdown(app, stop, None).await
}
