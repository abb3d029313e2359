//! The command line.

use std::net::SocketAddr;
use std::time::Duration;

use clap::{Parser, ValueEnum};
use sse_conformance::adapters;
use sse_conformance::suite::framework::Framework;
use sse_core::{EventType, OnGap, StreamOptions};

#[derive(Parser)]
pub(crate) struct Arguments {
    /// Which adapter serves.
    #[arg(long, value_parser = adapters::named)]
    pub(crate) framework: Framework,
    /// Where to listen; port 0 is any that is free.
    #[arg(long, default_value = "127.0.0.1:0")]
    pub(crate) listen: SocketAddr,
    /// How many events each log keeps, at least 1.
    #[arg(long, default_value_t = 20_000)]
    pub(crate) events: usize,
    /// How many bytes of events the log keeps.
    #[arg(long, default_value_t = 256 << 20)]
    pub(crate) retain_bytes: usize,
    /// Where the events are kept: `redb:PATH`, `redis:URL`, `nats:URL` or `postgres:URL`. In memory if it is not given.
    #[arg(long)]
    pub(crate) store: Option<String>,
    /// How many of the newest events of a store are in memory. Without it as many as the library keeps.
    #[arg(long)]
    pub(crate) tail_events: Option<usize>,
    /// What /events, /merged and /source do if the client cannot resume.
    #[arg(long, value_enum, default_value_t = AtGap::Reset)]
    gap: AtGap,
    /// How many milliseconds each stream is silent before it sends a comment. Without it 20 000, and on /idle 400.
    #[arg(long)]
    keep_alive_ms: Option<u64>,
    /// Around how many milliseconds a client waits before it comes back.
    #[arg(long, default_value_t = 3000)]
    retry_ms: u64,
    /// How many milliseconds the window has in which the streams end one after another at SIGTERM; with 0 they end at once.
    #[arg(long, default_value_t = 0)]
    drain_ms: u64,
    /// Sends an event of this type at each end that the server sets.
    #[arg(long)]
    goodbye_event: Option<String>,
    /// Breaks a response off after each end that the server sets.
    #[arg(long)]
    cut_on_goodbye: bool,
}

#[derive(Clone, Copy, ValueEnum)]
enum AtGap {
    /// Sends a `reset`, then all that is kept, then what comes.
    Reset,
    /// Goes on live, without a word.
    Live,
    /// Ends.
    Stop,
}

impl Arguments {
    /// Returns the options of `/events`, `/merged` and `/source`, whose streams are silent for this long at most, if nothing else was asked for.
    ///
    /// # Errors
    ///
    /// If the type of the goodbye is invalid.
    pub(crate) fn stream_options(&self, usual: Duration) -> Result<StreamOptions, sse_core::Error> {
        let on_gap = match self.gap {
            AtGap::Reset => OnGap::Reset,
            AtGap::Live => OnGap::Live,
            AtGap::Stop => OnGap::Stop,
        };
        let mut options = StreamOptions::new()
            .on_gap(on_gap)
            .keep_alive(self.keep_alive_or(usual))
            .retry(Duration::from_millis(self.retry_ms));
        if let Some(event_type) = &self.goodbye_event {
            options = options.goodbye_event(EventType::try_from(event_type.as_str())?);
        }
        Ok(if self.cut_on_goodbye { options.cut_on_goodbye() } else { options })
    }

    /// The window of a shutdown.
    pub(crate) fn drain_window(&self) -> Duration {
        Duration::from_millis(self.drain_ms)
    }

    /// The time between two keep-alives of a stream that otherwise has this one.
    pub(crate) fn keep_alive_or(&self, usual: Duration) -> Duration {
        self.keep_alive_ms.map_or(usual, Duration::from_millis)
    }
}
