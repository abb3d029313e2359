//! The ends that the server sets to a stream: a shutdown, a limit, the longest life.

use std::pin::pin;
use std::task::{Context, Poll};
use std::time::Duration;

use sync_wrapper::SyncWrapper;

use crate::event_stream::state::{Ending, State};
use crate::feed::options::StreamOptions;
use crate::limits::Admitted;
use crate::shutdown::Close;
use crate::timer::Sleep;
use crate::{End, EventType, Limit, Timer};

/// The ends of a stream, beside its shutdowns; most streams have none.
#[derive(Default)]
pub(super) struct Ends {
    /// A future that ends the stream, such as the shutdown of the whole server.
    until: Option<SyncWrapper<Sleep>>,
    life: Option<Moment>,
    /// The moment at which the stream ends in the window of a shutdown.
    closing: Option<Moment>,
    /// True if it ends at the end of that window.
    finishes_first: bool,
    /// The limit that the stream has met, and the number by which its reconnection time is multiplied.
    limited: Option<(Limit, f64)>,
    /// The type of the event with which it ends.
    goodbye: Option<EventType>,
    /// True if the response is broken off after it.
    cuts: bool,
    /// The place of the stream among those that a limit counts.
    _admitted: Option<Admitted>,
}

/// A moment at which a stream ends. Its timer is set at the first poll: it needs a runtime.
enum Moment {
    New(Duration),
    Set(SyncWrapper<Sleep>),
}

impl Moment {
    fn poll(&mut self, timer: &Timer, cx: &mut Context<'_>) -> Poll<()> {
        if let Self::New(time) = *self {
            *self = Self::Set(SyncWrapper::new(timer.sleep(time)));
        }
        match self {
            Self::New(_) => Poll::Pending,
            Self::Set(sleep) => sleep.get_mut().as_mut().poll(cx),
        }
    }
}

impl Ends {
    /// Returns the ends of a stream, or `None` if there is none.
    pub(super) fn new(
        options: &StreamOptions,
        timer: &Timer,
        admitted: Option<Admitted>,
        limited: Option<(Limit, f64)>,
    ) -> Option<Box<Self>> {
        let life = options.longest_life.map(|life| Moment::New(timer.shorten(life)));
        let (goodbye, finishes_first) = (options.goodbye_event.clone(), options.finishes_first);
        let cuts = options.cuts_on_goodbye;
        let has_any = life.is_some() || goodbye.is_some() || cuts || finishes_first;
        (has_any || admitted.is_some() || limited.is_some()).then(|| {
            let (until, closing) = (None, None);
            let _admitted = admitted;
            let ends =
                Self { until, life, closing, finishes_first, limited, goodbye, cuts, _admitted };
            Box::new(ends)
        })
    }

    /// Adds a future that ends the stream.
    pub(super) fn add(&mut self, end: impl Future<Output = ()> + Send + 'static) {
        let end: Sleep = match self.until.take() {
            Some(other) => Box::pin(async move {
                futures_util::future::select(pin!(end), other.into_inner()).await;
            }),
            None => Box::pin(end),
        };
        self.until = Some(SyncWrapper::new(end));
    }

    fn poll(&mut self, timer: &Timer, cx: &mut Context<'_>) -> Poll<End> {
        if let Some((limit, _)) = self.limited {
            return Poll::Ready(End::Limited(limit));
        }
        if let Some(until) = &mut self.until
            && until.get_mut().as_mut().poll(cx).is_ready()
        {
            return Poll::Ready(End::Shutdown);
        }
        let is_over = |moment: &mut Option<Moment>, cx: &mut Context<'_>| {
            moment.as_mut().is_some_and(|moment| moment.poll(timer, cx).is_ready())
        };
        if is_over(&mut self.closing, cx) {
            return Poll::Ready(End::Shutdown);
        }
        if is_over(&mut self.life, cx) {
            return Poll::Ready(End::Lifetime);
        }
        Poll::Pending
    }

    /// Sets the moment at which the stream ends in the window of a shutdown.
    fn close_within(&mut self, window: Duration, timer: &Timer) {
        let time = if self.finishes_first { window } else { timer.part_of(window) };
        self.closing.get_or_insert(Moment::New(time));
    }
}

impl State {
    /// Returns the reason once the server ends the stream.
    pub(super) fn poll_end(&mut self, cx: &mut Context<'_>) -> Poll<End> {
        for open in &mut self.open {
            while let Poll::Ready(close) = open.poll_begun(cx) {
                let Close::Within(window) = close else { return Poll::Ready(End::Shutdown) };
                self.ends.get_or_insert_default().close_within(window, &self.timer);
            }
        }
        match &mut self.ends {
            Some(ends) => ends.poll(&self.timer, cx),
            None => Poll::Pending,
        }
    }

    /// Returns the type of the event with which the stream ends, if there is one.
    pub(super) fn goodbye_event(&self) -> Option<&EventType> {
        self.ends.as_ref()?.goodbye.as_ref()
    }

    /// Returns true if the response is broken off after its goodbye. A client that polls takes an end for the end of its poll, so it gets one.
    pub(super) fn cuts_on_goodbye(&self) -> bool {
        self.ending == Ending::Never && self.ends.as_ref().is_some_and(|ends| ends.cuts)
    }

    /// Returns the number by which the reconnection time of the goodbye is multiplied.
    pub(super) fn load(&self) -> f64 {
        self.ends.as_ref().and_then(|ends| ends.limited).map_or(1.0, |(_, load)| load)
    }
}
