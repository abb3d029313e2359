//! The regimes: what is published to whom, and when.

use std::time::{Duration, Instant};

use nix::time::{ClockId, clock_gettime};

use super::client::Reading;
use super::contest::Contestant;
use super::events::Publication;
use super::figures::{Window, percentile};

/// The events that are published while many streams are open.
#[derive(Debug, Clone)]
pub(crate) struct Regime {
    pub(crate) name: &'static str,
    pub(crate) title: &'static str,
    pub(crate) kind: Kind,
    pub(crate) streams: usize,
    /// The bytes of data of an event.
    pub(crate) size: usize,
    /// The time that a window takes.
    pub(crate) window: Duration,
}

/// The differences of the regimes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// So many events are published at once; the next when all streams have them.
    Closed { burst: u64 },
    /// The same, but so many publications are on their way.
    Open { burst: u64, ahead: u64 },
    /// Each stream asks for one of so many topics; an event to each is published at once.
    Topics(usize),
    /// A tenth of the streams reads slowly; what is measured is for the others.
    SlowTenth,
    /// One event each so often, and the delays are noted.
    Paced(Duration),
    /// Streams are opened, and get so many events that were kept.
    Replay(u64),
}

impl Regime {
    pub(crate) fn topics(&self) -> usize {
        if let Kind::Topics(topics) = self.kind { topics } else { 1 }
    }

    pub(crate) fn kept(&self) -> usize {
        if let Kind::Replay(events) = self.kind { events as usize } else { 0 }
    }

    /// Opens the streams, and warms the server up.
    pub(crate) fn begin(&self, of: &mut Contestant) -> Result<(), String> {
        let topics = self.topics();
        let paths = |count| (0..count).map(move |number| format!("/events/{}", number % topics));
        if let Kind::Replay(events) = self.kind {
            of.running.publisher.publish(Publication { count: events, size: self.size })?;
            of.running.publisher.answers()?;
            return self.window(of).map(drop); // what is not yet warm
        }
        if self.kind == Kind::SlowTenth {
            of.client.connect(of.running.address, paths(self.streams / 10), Reading::Slowly);
        }
        of.client.open(of.running.address, paths(self.reading()))?;
        self.reach(of)?;
        if self.kind == Kind::SlowTenth {
            // More than the systems take for a stream that does not read.
            for _ in 0..64 {
                self.publish(of, Publication { count: 1, size: 16 * 1024 })?;
                of.client.until_events(of.expected)?;
            }
        }
        self.publish_for(of, Duration::ZERO) // the first allocates
    }

    /// Publishes until each stream has had an event: a head may come before the server has the stream wait for events.
    fn reach(&self, of: &mut Contestant) -> Result<(), String> {
        for time in 0..10 {
            let reached = of.client.received.reached;
            if reached == self.reading() {
                break;
            }
            if time > 1 {
                eprintln!("{reached} of {} streams had one of {time} events", self.reading());
            }
            of.client.read_for(Duration::from_millis(200))?;
            let count = self.topics() as u64;
            of.running.publisher.publish(Publication { count, size: self.size })?;
            let before = of.client.received.events;
            let mut known = before;
            while of.client.received.events < before + self.reading() as u64 {
                of.client.read_for(Duration::from_secs(2))?;
                if std::mem::replace(&mut known, of.client.received.events) == known {
                    break;
                }
            }
        }
        of.running.publisher.answers()?;
        of.expected = of.client.received.events;
        if of.client.received.reached < self.reading() {
            return Err(format!("only {} streams get events", of.client.received.reached));
        }
        Ok(())
    }

    /// Measures once.
    pub(crate) fn window(&self, of: &mut Contestant) -> Result<Window, String> {
        if let Kind::Replay(events) = self.kind {
            return self.replay(of, events);
        }
        of.client.read_slowly();
        self.publish_for(of, Duration::ZERO)?; // what the others have driven out of the caches comes back
        of.client.received.delays = self.pace().map(|_| Vec::new());
        let measured = Measured::begin(of);
        self.publish_for(of, self.window)?;
        let mut window = measured.end(of);
        if let Some(mut delays) = of.client.received.delays.take() {
            window.delays = Some((percentile(&mut delays, 0.5), percentile(&mut delays, 0.99)));
        }
        of.running.publisher.answers()?;
        of.check()?;
        Ok(window)
    }

    fn replay(&self, of: &mut Contestant, events: u64) -> Result<Window, String> {
        of.client.close();
        of.client.read_for(Duration::from_millis(200))?; // the server notices
        of.expected = events * self.streams as u64;
        let measured = Measured::begin(of);
        of.client.open(of.running.address, (0..self.streams).map(|_| "/replay".to_owned()))?;
        of.client.until_events(of.expected)?;
        let window = measured.end(of);
        of.check()?;
        of.client.close();
        Ok(window)
    }

    /// Publishes at least once and for this long, and waits until all has come.
    fn publish_for(&self, of: &mut Contestant, time: Duration) -> Result<(), String> {
        let count = match self.kind {
            Kind::Closed { burst } | Kind::Open { burst, .. } => burst,
            Kind::Topics(topics) => topics as u64,
            _ => 1,
        };
        let ahead = if let Kind::Open { ahead, .. } = self.kind { ahead } else { 1 };
        let each = count * self.reading() as u64 / self.topics() as u64;
        let begun = Instant::now();
        for number in 1.. {
            self.publish(of, Publication { count, size: self.size })?;
            match self.pace() {
                Some(pace) => {
                    of.client.read_for((pace * number).saturating_sub(begun.elapsed()))?;
                }
                None => of.client.until_events(of.expected.saturating_sub((ahead - 1) * each))?,
            }
            if begun.elapsed() >= time {
                break;
            }
        }
        of.client.until_events(of.expected)
    }

    fn publish(&self, of: &mut Contestant, publication: Publication) -> Result<(), String> {
        of.running.publisher.publish(publication)?;
        of.expected += publication.count * self.reading() as u64 / self.topics() as u64;
        Ok(())
    }

    /// The number of streams that read all at once.
    fn reading(&self) -> usize {
        match self.kind {
            Kind::SlowTenth => self.streams - self.streams / 10,
            _ => self.streams,
        }
    }

    fn pace(&self) -> Option<Duration> {
        if let Kind::Paced(pace) = self.kind { Some(pace) } else { None }
    }
}

/// The beginning of a window.
#[derive(Debug)]
struct Measured {
    at: Instant,
    server: Duration,
    client: Duration,
    events: u64,
}

impl Measured {
    fn begin(of: &Contestant) -> Self {
        let events = of.client.received.events;
        Self { server: of.running.cpu(), client: own(), events, at: Instant::now() }
    }

    fn end(self, of: &Contestant) -> Window {
        let events = of.client.received.events - self.events;
        let took = self.at.elapsed();
        Window::new(events, took, of.running.cpu() - self.server, own() - self.client)
    }
}

/// The processor time of this thread.
fn own() -> Duration {
    clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID).map(Duration::from).unwrap_or_default()
}
