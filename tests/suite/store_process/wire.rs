use serde::{Deserialize, Serialize};
use sse_core::store::{Appended, Bounds, EncodedEvent, Page, StoreError, StoredEvent, Topics};
use sse_core::{NewEvent, Position, Topic};

/// A request. Positions and epochs are their texts.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Request {
    pub(super) number: u64,
    pub(super) log: String,
    /// For how long idempotency keys are remembered, in milliseconds.
    pub(super) window: u64,
    pub(super) call: Call,
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Call {
    Append(Vec<WireEvent>),
    Bounds,
    Read {
        after: String,
        events: usize,
        bytes: usize,
    },
    BeforeLast {
        events: usize,
        bytes: usize,
    },
    /// An age in milliseconds.
    BeforeSince {
        age: u64,
    },
    /// The next page after a position that has events, or other bounds than these.
    Next {
        after: String,
        known: Option<WireBounds>,
    },
    Retain {
        events: usize,
        bytes: usize,
        age: Option<u64>,
    },
    Finish,
    FinishWith(Vec<WireEvent>),
    Delete(String),
    BeginEpoch(String),
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Reply {
    pub(super) number: u64,
    pub(super) answer: Result<Answer, WireError>,
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Answer {
    Appended {
        epoch: String,
        positions: Vec<String>,
    },
    Page {
        bounds: WireBounds,
        events: Vec<(String, WireEvent)>,
    },
    Text(String),
    /// The milliseconds after which the oldest event is too old.
    Retained(Option<u64>),
    Done,
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct WireEvent {
    block: String,
    key: Option<String>,
    idempotency_key: Option<String>,
    topics: Vec<Topic>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct WireBounds {
    epoch: String,
    floor: String,
    oldest: Option<String>,
    newest: String,
    is_finished: bool,
    deletions: u64,
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) enum WireError {
    Finished,
    Failed(String),
    OutcomeUnknown(String),
}

/// Parses a text that the other end wrote: both ends are ours.
pub(super) fn parse<T: std::str::FromStr>(text: &str) -> T {
    text.parse().unwrap_or_else(|_| panic!("{text:?} came from our own end"))
}

impl From<&EncodedEvent> for WireEvent {
    fn from(event: &EncodedEvent) -> Self {
        let text = |text: &std::sync::Arc<str>| text.to_string();
        Self {
            block: String::from_utf8_lossy(&event.block).into_owned(),
            key: event.key.as_ref().map(text),
            idempotency_key: event.idempotency_key.as_ref().map(text),
            topics: event.topics.to_vec(),
        }
    }
}

impl From<WireEvent> for EncodedEvent {
    fn from(event: WireEvent) -> Self {
        let mut new = NewEvent::from("").encode(100).expect("an empty event is small");
        new.block = event.block.into();
        new.key = event.key.map(Into::into);
        new.idempotency_key = event.idempotency_key.map(Into::into);
        new.topics = topics(event.topics);
        new
    }
}

impl From<Appended> for Answer {
    fn from(appended: Appended) -> Self {
        let positions = appended.positions.iter().map(ToString::to_string).collect();
        Self::Appended { epoch: appended.epoch.to_string(), positions }
    }
}

impl From<&Page> for Answer {
    fn from(page: &Page) -> Self {
        let event = |event: &StoredEvent| {
            let block = String::from_utf8_lossy(&event.block).into_owned();
            let key = event.key.as_ref().map(|key| key.to_string());
            let topics = event.topics.to_vec();
            (event.position.to_string(), WireEvent { block, key, idempotency_key: None, topics })
        };
        Self::Page { bounds: page.bounds.into(), events: page.events.iter().map(event).collect() }
    }
}

fn topics(topics: Vec<Topic>) -> Topics {
    Topics::new(topics).expect("as many as an event may have")
}

/// An event of a page.
pub(super) fn stored((position, event): (String, WireEvent)) -> StoredEvent {
    let key = event.key.map(Into::into);
    StoredEvent {
        position: parse(&position),
        block: event.block.into(),
        key,
        topics: topics(event.topics),
    }
}

impl From<Bounds> for WireBounds {
    fn from(bounds: Bounds) -> Self {
        Self {
            epoch: bounds.epoch.to_string(),
            floor: bounds.floor.to_string(),
            oldest: bounds.oldest.map(|oldest: Position| oldest.to_string()),
            newest: bounds.newest.to_string(),
            is_finished: bounds.is_finished,
            deletions: bounds.deletions,
        }
    }
}

impl From<WireBounds> for Bounds {
    fn from(bounds: WireBounds) -> Self {
        Self {
            epoch: parse(&bounds.epoch),
            floor: parse(&bounds.floor),
            oldest: bounds.oldest.as_deref().map(parse),
            newest: parse(&bounds.newest),
            is_finished: bounds.is_finished,
            deletions: bounds.deletions,
        }
    }
}

impl From<StoreError> for WireError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Finished => Self::Finished,
            StoreError::OutcomeUnknown(error) => Self::OutcomeUnknown(error.to_string()),
            StoreError::Failed(error) => Self::Failed(error.to_string()),
            error => Self::OutcomeUnknown(error.to_string()),
        }
    }
}

impl From<WireError> for StoreError {
    fn from(error: WireError) -> Self {
        match error {
            WireError::Finished => Self::Finished,
            WireError::Failed(reason) => Self::failed(reason),
            WireError::OutcomeUnknown(reason) => Self::outcome_unknown(reason),
        }
    }
}
