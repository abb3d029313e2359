//! A stream from another origin: credentials, preflight, the polyfill.
//!
//! Two servers in one program: one has the page, the other, of another origin, the stream. Only the page's origin is let in, and only with
//! credentials: a cookie, which `EventSource` sends if the page sets `withCredentials`, or a header, which only a polyfill can set.
#![forbid(unsafe_code)]

use std::time::Duration;

use axum::extract::State;
use axum::http::header::{AUTHORIZATION, CACHE_CONTROL, COOKIE, HeaderName, SET_COOKIE};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header::CONTENT_TYPE};
use axum::response::{Html, IntoResponse};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::json;
use sse_axum::{Error, EventLog, OnGap, Sse, SseRequest, Start, listener, stream_events};
use tower_http::cors::CorsLayer;

/// Makes a request that is not simple if it is longer than 128 bytes or has unusual characters. Ours are simple: this is for other clients.
const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

#[derive(Clone)]
struct Api {
    log: EventLog,
    /// The one session that there is: how to have one for each user is in the recipe `notifications`.
    token: String,
}

impl Api {
    /// Checks the cookie, or `Authorization: Bearer`.
    fn lets_in(&self, headers: &HeaderMap) -> bool {
        let has = |name, value: String| {
            let values = headers.get_all(name).into_iter().filter_map(|v| v.to_str().ok());
            values.flat_map(|text| text.split("; ")).any(|text| text == value)
        };
        has(COOKIE, format!("session={}", self.token))
            || has(AUTHORIZATION, format!("Bearer {}", self.token))
    }

    async fn count(self) -> Result<(), Error> {
        for number in 0_u64.. {
            self.log.append(number.to_string()).await?;
            tokio::time::sleep(Duration::from_millis(400)).await;
        }
        Ok(())
    }
}

async fn sign_in(State(api): State<Api>) -> impl IntoResponse {
    // The two origins are one site: `Lax` lets the cookie pass between them. Between two sites it is `SameSite=None; Secure`.
    let cookie = format!("session={}; HttpOnly; SameSite=Lax", api.token);
    ([(SET_COOKIE, cookie)], Json(json!({ "token": api.token })))
}

async fn events(
    State(api): State<Api>,
    headers: HeaderMap,
    request: SseRequest,
) -> Result<Sse, StatusCode> {
    if !api.lets_in(&headers) {
        return Err(StatusCode::UNAUTHORIZED);
    }
    let feed = api.log.feed().start_at(Start::Last(3)).on_gap(OnGap::StartOver);
    Ok(stream_events(request, feed.retry(Duration::from_secs(1))))
}

/// Sets the origin that may read answers, its credentials, and the headers that it may send. It answers the preflights, too.
fn cors(origin: &str) -> CorsLayer {
    CorsLayer::new()
        .allow_origin([HeaderValue::from_str(origin).expect("an address is a header's value")])
        .allow_credentials(true)
        .allow_methods([Method::GET, Method::POST])
        .allow_headers([AUTHORIZATION, CACHE_CONTROL, LAST_EVENT_ID])
        .max_age(Duration::from_secs(3600))
}

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let api = Api { log: EventLog::in_memory(1000), token: format!("{:032x}", fastrand::u128(..)) };
    let counting = api.clone();
    tokio::spawn(async move { counting.count().await.expect("a log takes numbers") });

    let pages = listener(look::address())?;
    let page_origin = format!("http://{}", pages.local_addr()?);
    let address = std::env::var("API_LISTEN").unwrap_or_else(|_| "127.0.0.1:3001".into());
    let streams = listener(address)?;
    let api_origin = format!("http://{}", streams.local_addr()?);
    println!("open {page_origin}\nthe stream is at {api_origin}");

    let page = look::page(include_str!("index.html")).replace("API_ORIGIN", &api_origin);
    let polyfill = include_str!("../vendor/eventsource.min.js");
    let pages_app = Router::new()
        .route("/", get(Html(page)))
        .route("/polyfill.js", get(([(CONTENT_TYPE, "text/javascript")], polyfill)));
    let api_app = Router::new()
        .route("/session", post(sign_in))
        .route("/events", get(events))
        .layer(cors(&page_origin))
        .with_state(api.clone());
    let begun = api.log.shutdown().clone();
    let stop = begun.begin_after(tokio::signal::ctrl_c());
    tokio::try_join!(
        async { axum::serve(streams, api_app).with_graceful_shutdown(stop).await },
        async {
            let stop = async move { begun.begun().await };
            axum::serve(pages, pages_app).with_graceful_shutdown(stop).await
        },
    )
    .map(drop)
}
