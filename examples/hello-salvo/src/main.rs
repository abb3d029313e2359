use salvo::{conn::tcp::TcpAcceptor, http::ResBody, prelude::*};
use sse_http::{EventLog, EventStreamBody, OnGap, Sse, SseRequest, listener, stream_events};

fn events(log: &EventLog, request: SseRequest) -> Sse {
    stream_events(request, log.feed().on_gap(OnGap::StartOver))
}

struct Events(EventLog);

#[handler]
impl Events {
    fn handle(&self, request: &Request, response: &mut Response) {
        let request = SseRequest::new(request.method(), request.uri(), request.headers());
        let stream: http::Response<EventStreamBody> = events(&self.0, request).into();
        response.merge_hyper(stream.map(|body| ResBody::stream(body.0)));
    }
}

#[handler]
fn page() -> Text<&'static str> {
    Text::Html(hello::PAGE)
}

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let log = hello::with_clock(EventLog::in_memory(1000));
    let stop = log.shutdown().begin_after(tokio::signal::ctrl_c());
    let server = Server::new(TcpAcceptor::try_from(listener("127.0.0.1:3000")?)?);
    let handle = server.handle();
    tokio::spawn(async move { (stop.await, handle.stop_graceful(None)) });
    let events = Router::with_path("events").get(Events(log));
    server.try_serve(Router::new().get(page).push(events)).await
}
