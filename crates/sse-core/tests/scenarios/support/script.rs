use std::sync::{Arc, Mutex, MutexGuard};

use futures_util::stream;
use sse_core::{BoxError, Event, EventId, Frame, Frames, Replay, Source, async_trait};
use tokio::sync::mpsc;

/// A source of numbered events that does as the test says, and remembers what was asked of it.
#[derive(Clone, Default)]
pub(crate) struct Script(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    stored: Vec<u64>,
    subscribers: Vec<mpsc::UnboundedSender<Live>>,
    calls: Vec<&'static str>,
    before_fetch: Hook,
    after_fetch: Hook,
    in_stream: Hook,
    fetch: Option<Fetch>,
    refuses_to_stream: bool,
}

type Live = Result<Frame, BoxError>;
type Hook = Option<Box<dyn FnMut(&Script) + Send>>;

/// The action of `fetch` in place of looking up the stored events.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Fetch {
    Fails,
    TellsOfAGap,
    /// A replay that begins with the client's last event itself.
    BeginsWithTheLast,
    /// A replay that fails after this many events.
    FailsAfter(usize),
    /// It never answers.
    Hangs,
}

/// The event of this number.
pub(crate) fn event(number: u64) -> Event {
    let id = EventId::try_from(number.to_string()).expect("digits make an id");
    Event::new(number.to_string()).id(id)
}

/// The data of these events.
pub(crate) fn numbers(numbers: impl IntoIterator<Item = u64>) -> Vec<String> {
    numbers.into_iter().map(|number| number.to_string()).collect()
}

impl Script {
    /// A source that holds these events.
    pub(crate) fn holding(stored: impl IntoIterator<Item = u64>) -> Self {
        let script = Self::default();
        script.lock().stored.extend(stored);
        script
    }

    /// Stores an event and notifies of it.
    pub(crate) fn publish(&self, number: u64) {
        self.store(number);
        self.notify(number);
    }

    /// Stores an event, the notification of which comes later or never.
    pub(crate) fn store(&self, number: u64) {
        self.lock().stored.push(number);
    }

    pub(crate) fn notify(&self, number: u64) {
        self.send(|| Ok(event(number).into()));
    }

    pub(crate) fn send(&self, live: impl Fn() -> Live) {
        // A listener that has unsubscribed gets nothing.
        self.lock().subscribers.retain(|to| to.send(live()).is_ok());
    }

    /// Ends every live stream.
    pub(crate) fn hang_up(&self) {
        self.lock().subscribers.clear();
    }

    /// Does this inside `fetch`, before it looks at what is stored.
    pub(crate) fn before_fetch(&self, hook: impl FnMut(&Self) + Send + 'static) {
        self.lock().before_fetch = Some(Box::new(hook));
    }

    /// Does this inside `fetch`, after it has looked.
    pub(crate) fn after_fetch(&self, hook: impl FnMut(&Self) + Send + 'static) {
        self.lock().after_fetch = Some(Box::new(hook));
    }

    /// Does this inside `stream`, before it subscribes.
    pub(crate) fn in_stream(&self, hook: impl FnMut(&Self) + Send + 'static) {
        self.lock().in_stream = Some(Box::new(hook));
    }

    pub(crate) fn fetch_is(&self, fetch: Fetch) {
        self.lock().fetch = Some(fetch);
    }

    pub(crate) fn refuse_to_stream(&self) {
        self.lock().refuses_to_stream = true;
    }

    /// Returns the calls to it, in order.
    pub(crate) fn calls(&self) -> Vec<&'static str> {
        self.lock().calls.clone()
    }

    /// Returns the number of subscriptions.
    pub(crate) fn subscribers(&self) -> usize {
        let state = self.lock();
        state.subscribers.iter().filter(|to| !to.is_closed()).count()
    }

    /// Runs a hook, which may use the script itself.
    fn run(&self, hook: fn(&mut State) -> &mut Hook) {
        let taken = hook(&mut self.lock()).take();
        if let Some(mut taken) = taken {
            taken(self);
            *hook(&mut self.lock()) = Some(taken);
        }
    }

    fn replay(&self, last: &EventId) -> Vec<Live> {
        let last: u64 = last.as_str().parse().expect("an id of this source");
        let state = self.lock();
        let missed = state.stored.iter().filter(|number| **number > last);
        missed.map(|number| Ok(event(*number).into())).collect()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().expect("no test panics under the lock")
    }
}

#[async_trait]
impl Source for Script {
    async fn fetch(&self, last_event_id: &EventId) -> Result<Replay, BoxError> {
        self.lock().calls.push("fetch");
        self.run(|state| &mut state.before_fetch);
        tokio::task::yield_now().await;
        let mut replay = self.replay(last_event_id);
        self.run(|state| &mut state.after_fetch);
        tokio::task::yield_now().await;
        let fetch = self.lock().fetch;
        match fetch {
            None => {}
            Some(Fetch::Fails) => return Err("the database is gone".into()),
            Some(Fetch::TellsOfAGap) => return Ok(Replay::Gap),
            Some(Fetch::BeginsWithTheLast) => {
                let last = Event::new("the last").id(last_event_id.clone());
                replay.insert(0, Ok(last.into()));
            }
            Some(Fetch::FailsAfter(count)) => {
                replay.truncate(count);
                replay.push(Err("the database is gone".into()));
            }
            Some(Fetch::Hangs) => std::future::pending().await,
        }
        Ok(Replay::Events(Frames::new(stream::iter(replay))))
    }

    async fn stream(&self) -> Result<Frames, BoxError> {
        self.lock().calls.push("stream");
        self.run(|state| &mut state.in_stream);
        tokio::task::yield_now().await;
        if self.lock().refuses_to_stream {
            return Err("no more subscribers".into());
        }
        let (to, mut from) = mpsc::unbounded_channel();
        self.lock().subscribers.push(to);
        Ok(Frames::new(stream::poll_fn(move |cx| from.poll_recv(cx))))
    }
}
