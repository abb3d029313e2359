use std::fmt;

use rocket::http::Status;
use rocket::request::Request;
use rocket::response::{self, Responder};
use sse_core::Error;

/// The error of a handler, made of an [`Error`] by `?`. Its response has the [status](Error::status) of the error: one of 400 to 499 if the
/// client is at fault, 503 if a store is away. The body is its [text for a client](Error::client_text).
///
/// ```
/// use sse_rocket::{EventLog, SseError};
///
/// async fn say(log: EventLog, text: String) -> Result<String, SseError> {
///     Ok(log.append(text).await?.to_string())
/// }
///
/// # #[rocket::main]
/// # async fn main() -> Result<(), sse_rocket::Error> {
/// let log = EventLog::in_memory(1000);
/// log.finish().await?;
/// let error = say(log, "too late".to_owned()).await.unwrap_err();
/// assert_eq!(error.0.status(), 409);
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

impl<'r> Responder<'r, 'static> for SseError {
    fn respond_to(self, request: &'r Request<'_>) -> response::Result<'static> {
        (Status::new(self.0.status()), self.0.client_text()).respond_to(request)
    }
}
