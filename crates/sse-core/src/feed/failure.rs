//! The options for a stream that fails before its end: the closures to call, and how the response ends.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;

use super::seldom::Seldom;
use crate::panics::caught;
use crate::{Error, Event, Frame};

/// The options of a feed for failures; empty for most feeds.
#[derive(Clone, Default)]
pub(crate) struct Failure(Option<Arc<Chosen>>);

/// A closure of the application that is called with an error.
type Told<T> = Arc<dyn Fn(&Error) -> T + Send + Sync>;

#[derive(Clone, Default)]
struct Chosen {
    on_error: Option<Told<()>>,
    event: Option<Told<Event>>,
    cuts: bool,
}

impl Failure {
    pub(crate) fn on_error(&mut self, on_error: impl Fn(&Error) + Send + Sync + 'static) {
        self.chosen().on_error = Some(Arc::new(on_error));
    }

    pub(crate) fn event(&mut self, event: impl Fn(&Error) -> Event + Send + Sync + 'static) {
        self.chosen().event = Some(Arc::new(event));
    }

    pub(crate) fn cut(&mut self) {
        self.chosen().cuts = true;
    }

    /// Returns true if the response is broken off.
    pub(crate) fn cuts(&self) -> bool {
        self.0.as_ref().is_some_and(|chosen| chosen.cuts)
    }

    /// Reports an error. Returns the event that tells the client, if one is set. It has no id, because an id would advance the client.
    pub(crate) fn report(&self, error: &Error) -> Option<Bytes> {
        log(error);
        let chosen = self.0.as_ref()?;
        if let Some(on_error) = &chosen.on_error {
            warn_of_a_panic("on_error", caught(|| on_error(error)));
        }
        let make = chosen.event.as_ref()?;
        let event = warn_of_a_panic("error_event", caught(|| make(error)))?;
        let bytes = Frame::from(Event { id: None, ..event }).into_bytes();
        (!bytes.is_empty()).then_some(bytes)
    }

    fn chosen(&mut self) -> &mut Chosen {
        Arc::make_mut(self.0.get_or_insert_default())
    }
}

/// The warnings of streams that end because a store is away: all streams of a log end for one reason.
static OF_A_STORE: Seldom = Seldom::new(Duration::from_secs(60));

fn log(error: &Error) {
    if error.is_times_unsupported() {
        return tracing::warn!(?error, "an event stream was refused");
    }
    let since = match error.failed_store() {
        Some(store) => OF_A_STORE.since(store, Instant::now()),
        None => Some(0),
    };
    match since {
        Some(others) => tracing::warn!(
            ?error,
            others,
            "an event stream failed and ends early; a client that can resume comes back"
        ),
        None => tracing::debug!(?error, "an event stream failed, as others did"),
    }
}

fn warn_of_a_panic<T>(closure: &str, result: Result<T, crate::BoxError>) -> Option<T> {
    result
        .inspect_err(|error| {
            tracing::warn!(
                %error,
                closure,
                "a closure of a feed panicked"
            );
        })
        .ok()
}

impl fmt::Debug for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Failure").field("cuts", &self.cuts()).finish_non_exhaustive()
    }
}
