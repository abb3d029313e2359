//! Resumable server-sent events for actix-web.
#![forbid(unsafe_code)]

use std::convert::Infallible;
use std::future::{Ready, ready};

use actix_web::body::{BodyStream, BoxBody};
use actix_web::dev::Payload;
use actix_web::http::{ConnectionType, StatusCode, Version};
use actix_web::{FromRequest, HttpRequest, HttpResponse, Responder};
pub use sse_core::*;

/// What the client asked for. An extractor that never rejects.
#[derive(Debug, Clone)]
pub struct SseRequest(pub StreamRequest);

/// The answer: an event stream.
#[derive(Debug)]
#[must_use = "the stream is sent by returning it from a handler"]
pub struct Sse(pub StreamResponse);

/// Answers a request with a stream of this feed: what the client missed since its last event ID, then live.
pub fn stream_events(request: SseRequest, feed: impl Into<Feed>) -> Sse {
    Sse(StreamResponse::new(&request.0, feed, timer()))
}

fn timer() -> Timer {
    Timer::new(|| tokio::time::Instant::now().into_std(), tokio::time::sleep)
}

impl FromRequest for SseRequest {
    type Error = Infallible;
    type Future = Ready<Result<Self, Infallible>>;

    fn from_request(request: &HttpRequest, _payload: &mut Payload) -> Self::Future {
        let headers =
            request.headers().iter().map(|(name, value)| (name.as_str(), value.as_bytes()));
        ready(Ok(Self(StreamRequest::new(
            request.method().as_str(),
            request.uri().query(),
            headers,
        ))))
    }
}

impl Responder for Sse {
    type Body = BoxBody;

    fn respond_to(self, request: &HttpRequest) -> HttpResponse {
        let StreamResponse { status, headers, body, .. } = self.0;
        let mut response = HttpResponse::build(
            StatusCode::from_u16(status).expect("the core's statuses are valid"),
        );
        for header in headers {
            response.insert_header(*header);
        }
        // `Compress` would hold events back; it leaves alone what says how it is encoded.
        response.insert_header(("content-encoding", "identity"));
        let mut response = response.body(BodyStream::new(body));
        if request.version() < Version::HTTP_11 {
            // There are no chunks: the body ends with the connection.
            response.head_mut().set_connection_type(ConnectionType::Close);
            response.head_mut().no_chunking(true);
        }
        response
    }
}
