/// The response is broken off, so that its client cannot take it for whole: the only error of an [`EventStream`](crate::EventStream).
///
/// It comes if [`Feed::cut_on_error`](crate::Feed::cut_on_error) asks for it, after whole frames, and never first. The framework
/// then closes the connection without the end of the body (HTTP/1.1: without the last chunk,
/// [RFC 9112, 8](https://www.rfc-editor.org/rfc/rfc9112#section-8)), or resets the stream (HTTP/2: `RST_STREAM`). Rocket does neither: it
/// ends the response as one that is whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "the event stream was broken off on purpose, so that its client does not take it for whole"
)]
pub struct Cut(());

impl Cut {
    pub(crate) fn new() -> Self {
        Self(())
    }
}

impl From<Cut> for std::io::Error {
    fn from(cut: Cut) -> Self {
        Self::new(std::io::ErrorKind::ConnectionAborted, cut)
    }
}
