use std::fmt;

use sse_core::Error;
use warp::http::StatusCode;
use warp::reply::{Reply, Response};

/// The error of a handler, made of an [`Error`] by `?`. Its response has the [status](Error::status) of the error: one of 400 to 499 if the
/// client is at fault, 503 if a store is away. The body is its [text for a client](Error::client_text).
/// In warp a handler that returns a `Result` is mounted by `.then`.
///
/// ```
/// use sse_warp::{EventLog, SseError};
///
/// async fn say(log: EventLog, text: String) -> Result<String, SseError> {
///     Ok(log.append(text).await?.to_string())
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), sse_warp::Error> {
/// let log = EventLog::in_memory(1000);
/// log.finish().await?;
/// let error = say(log, "too late".to_owned()).await.unwrap_err();
/// assert_eq!(warp::Reply::into_response(error).status(), 409);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct SseError(pub Error);

impl<E: Into<Error>> From<E> for SseError {
    fn from(error: E) -> Self {
        Self(error.into())
    }
}

impl fmt::Display for SseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl std::error::Error for SseError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.source()
    }
}

impl Reply for SseError {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.0.status()).expect("the core's statuses are valid");
        warp::reply::with_status(self.0.client_text(), status).into_response()
    }
}
