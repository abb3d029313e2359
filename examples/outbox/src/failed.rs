use std::error::Error;
use std::iter;

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

/// Any failure of a handler that talks to a database: the reason goes to the log, not to the client.
#[derive(Debug)]
pub(crate) struct Failed(Box<dyn Error + Send + Sync>);

impl<E: Into<Box<dyn Error + Send + Sync>>> From<E> for Failed {
    fn from(error: E) -> Self {
        Self(error.into())
    }
}

impl IntoResponse for Failed {
    fn into_response(self) -> Response {
        let causes = iter::successors(self.0.source(), |&error| error.source());
        let causes: String = causes.map(|error| format!(": {error}")).collect();
        eprintln!("{}{causes}", self.0); // what Postgres said is a cause
        StatusCode::INTERNAL_SERVER_ERROR.into_response()
    }
}
