use std::time::Duration;

use crate::feed::failure::Failure;
use crate::feed::polls::Polls;
use crate::{EventType, OnGap, Shutdown, Start};

/// What a feed was told to do, for each of its streams.
pub(crate) struct Options {
    pub(crate) keep_alive: Duration,
    pub(crate) keep_alive_event: Option<EventType>,
    pub(crate) retry: Option<Duration>,
    pub(crate) start: Start,
    pub(crate) opening_event: Option<EventType>,
    pub(crate) on_gap: OnGap,
    pub(crate) failure: Failure,
    pub(crate) polls: Polls,
    pub(crate) last_event_id_parameter: String,
    /// Each of which ends the stream.
    pub(crate) shutdowns: Vec<Shutdown>,
    pub(crate) limits: SourceLimits,
}

/// What bounds the memory of one client of a source.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SourceLimits {
    /// How many events are kept that are published while it catches up.
    pub(crate) buffered: usize,
    /// How many ids are remembered of those replayed.
    pub(crate) remembered: usize,
    /// For how long after the replay.
    pub(crate) late: Duration,
}

impl Options {
    pub(crate) fn with_shutdowns(shutdowns: &[Shutdown]) -> Self {
        let mut options = Self {
            keep_alive: Duration::from_secs(20),
            keep_alive_event: None,
            retry: None,
            start: Start::default(),
            opening_event: None,
            on_gap: OnGap::default(),
            failure: Failure::default(),
            polls: Polls::default(),
            last_event_id_parameter: "lastEventId".to_owned(),
            shutdowns: Vec::new(),
            limits: SourceLimits {
                buffered: 1024,
                remembered: 10_000,
                late: Duration::from_secs(60),
            },
        };
        shutdowns.iter().for_each(|shutdown| options.tie(shutdown));
        options
    }

    /// Each shutdown counts a stream once, however often it was given.
    pub(crate) fn tie(&mut self, shutdown: &Shutdown) {
        if !self.shutdowns.iter().any(|known| known.is(shutdown)) {
            self.shutdowns.push(shutdown.clone());
        }
    }
}
