use std::{convert::Infallible, pin::pin, time::Duration};

use http_body_util::{Either, Full};
use hyper::{Request, Response, body::Bytes, server::conn::http1, service::service_fn};
use hyper_util::{rt::TokioIo, server::graceful::GracefulShutdown};
use sse_http::{EventLog, EventStreamBody, OnGap, Sse, SseRequest, listener, stream_events};

fn events(log: &EventLog, request: SseRequest) -> Sse {
    stream_events(request, log.feed().on_gap(OnGap::StartOver))
}

type Body = Either<EventStreamBody, Full<Bytes>>;

async fn answer<B>(log: EventLog, request: Request<B>) -> Result<Response<Body>, Infallible> {
    let page = || Response::builder().header("content-type", "text/html; charset=utf-8");
    Ok(match request.uri().path() {
        "/events" => Response::from(events(&log, (&request).into())).map(Either::Left),
        _ => page().body(Either::Right(hello::PAGE.into())).expect("the header is valid"),
    })
}

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let log = hello::with_clock(EventLog::in_memory(1000));
    let (listener, connections) = (listener("127.0.0.1:3000")?, GracefulShutdown::new());
    let mut stop = pin!(log.shutdown().begin_after(tokio::signal::ctrl_c()));
    loop {
        let accepted =
            tokio::select! { socket = listener.accept() => socket, () = &mut stop => break };
        let Ok((socket, _)) = accepted else {
            tokio::time::sleep(Duration::from_millis(100)).await; // too many files may be open
            continue;
        };
        let log = log.clone();
        let service = service_fn(move |request| answer(log.clone(), request));
        let connection = http1::Builder::new().serve_connection(TokioIo::new(socket), service);
        tokio::spawn(connections.watch(connection));
    }
    connections.shutdown().await;
    Ok(())
}
