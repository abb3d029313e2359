//! Resumable server-sent events, for every framework and every runtime.
#![forbid(unsafe_code)]

mod field;
pub use field::{EventId, EventType, InvalidField};

mod error;
pub use error::{BoxError, Error};

mod event;
pub use event::Event;

mod encode;

mod frame;
pub use frame::Frame;

mod cursor;

mod gap;
pub use gap::{Gap, GapReason, OnGap};

mod request;
pub use request::{LastEventId, StreamRequest};

mod timer;
pub use timer::Timer;

mod wakers;

mod shutdown;
pub use shutdown::Shutdown;

mod source;
pub use async_trait::async_trait;
pub use source::{Frames, Replay, Source, source};

mod resume;

mod log;
pub use log::{EventLog, LogOptions, LogStats};

mod stream_context;
pub use stream_context::{Closed, StreamContext};

mod feed;
pub use feed::Feed;

mod events;

mod event_stream;
pub use event_stream::EventStream;

mod response;
pub use response::StreamResponse;

#[cfg(feature = "listener")]
mod listener;
#[cfg(feature = "listener")]
pub use listener::{ListenerOptions, listener, listener_with};
