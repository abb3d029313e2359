use std::fmt;

use http::header::CONTENT_TYPE;
use http::{HeaderValue, Response, StatusCode};
use sse_core::Error;

/// The error of a handler, made of an [`Error`] by `?`. It becomes a [`Response`] with the [status](Error::status) of the error: one of 400 to 499 if the
/// client is at fault, 503 if a store is away. The body is its [text for a client](Error::client_text).
///
/// ```
/// use sse_http::{EventLog, SseError};
///
/// async fn say(log: EventLog, text: String) -> Result<String, SseError> {
///     Ok(log.append(text).await?.to_string())
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), sse_http::Error> {
/// let log = EventLog::in_memory(1000);
/// log.finish().await?;
/// let error = say(log, "too late".to_owned()).await.unwrap_err();
/// assert_eq!(http::Response::<String>::from(error).status(), 409);
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

impl<B: From<String>> From<SseError> for Response<B> {
    fn from(error: SseError) -> Self {
        let mut response = Response::new(error.0.client_text().into());
        *response.status_mut() =
            StatusCode::from_u16(error.0.status()).expect("the core's statuses are valid");
        let plain = HeaderValue::from_static("text/plain; charset=utf-8");
        response.headers_mut().insert(CONTENT_TYPE, plain);
        response
    }
}
