use std::fmt;

use actix_web::http::StatusCode;
use actix_web::http::header::ContentType;
use actix_web::{HttpResponse, ResponseError};
use sse_core::Error;

/// The error of a handler, made of an [`Error`] by `?`. Its response has the [status](Error::status) of the error: one of 400 to 499 if the
/// client is at fault, 503 if a store is away. The body is its [text for a client](Error::client_text).
///
/// ```
/// use sse_actix::{EventLog, SseError};
///
/// async fn say(log: EventLog, text: String) -> Result<String, SseError> {
///     Ok(log.append(text).await?.to_string())
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), sse_actix::Error> {
/// let log = EventLog::in_memory(1000);
/// log.finish().await?;
/// let error = say(log, "too late".to_owned()).await.unwrap_err();
/// assert_eq!(actix_web::ResponseError::status_code(&error), 409);
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

impl ResponseError for SseError {
    fn status_code(&self) -> StatusCode {
        StatusCode::from_u16(self.0.status()).expect("the core's statuses are valid")
    }

    fn error_response(&self) -> HttpResponse {
        let mut response = HttpResponse::build(self.status_code());
        response.content_type(ContentType::plaintext()).body(self.0.client_text())
    }
}
