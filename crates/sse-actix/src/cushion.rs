//! Keeps actix-web from dropping events when a response is broken off.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use actix_web::web::Bytes;
use futures_core::Stream;
use sse_core::{Cut, EventStream};

/// The bytes that actix-web copies before the client takes them, by default. Over HTTP/1.1 it drops them with the response.
const COPIED: usize = 32 * 1024;

const LINE: usize = 1024;

/// Lines of comments, as long as what is dropped.
static COMMENTS: [u8; COPIED] = comments();

const fn comments() -> [u8; COPIED] {
    let mut comments = [b' '; COPIED];
    let mut line = 0;
    while line < COPIED {
        comments[line] = b':';
        comments[line + LINE - 1] = b'\n';
        line += LINE;
    }
    comments
}

/// A stream over HTTP/1.1: comments go out before a cut, so that actix-web drops those instead of events.
pub(crate) struct Cushion {
    stream: EventStream,
    cut: Option<Cut>,
}

impl Cushion {
    pub(crate) fn new(stream: EventStream) -> Self {
        Self { stream, cut: None }
    }
}

impl Stream for Cushion {
    type Item = Result<Bytes, Cut>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if let Some(cut) = self.cut.take() {
            return Poll::Ready(Some(Err(cut)));
        }
        let item = ready!(Pin::new(&mut self.stream).poll_next(cx));
        Poll::Ready(match item {
            Some(Err(cut)) => {
                self.cut = Some(cut);
                Some(Ok(Bytes::from_static(&COMMENTS)))
            }
            item => item,
        })
    }
}
