//! The bounds, the sizes and the topics of a log.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use axum::http::StatusCode;
use serde_json::{Value, json};
use sse_core::Topic;

use super::{Refusal, refused};
use crate::stores::Engine;
use crate::{LIMIT, Result};

/// The most events that are counted for one request.
pub(super) const COUNTED: usize = 100_000;
/// The most topics that are listed.
const TOPICS: usize = 1000;

pub(super) struct App {
    pub(super) engine: Engine,
    pub(super) address: SocketAddr,
    /// The token of those who may append. `None` if nobody may.
    pub(super) token: Option<String>,
}

impl App {
    /// Refuses a log that is not there: opening it would create it.
    pub(super) async fn known(&self, name: &str) -> std::result::Result<(), Refusal> {
        let names = self.engine.names().await.map_err(refused)?;
        match names.iter().any(|known| known == name) {
            true => Ok(()),
            false => Err((StatusCode::NOT_FOUND, "there is no such log".into())),
        }
    }
}

/// Returns the bounds of a log; and the number, the size and the topics of its oldest events, up to so many.
pub(super) async fn log_state(app: &App, name: &str, count: usize) -> Result<Value> {
    let store = app.engine.store(name).await?;
    let bounds = store.bounds().await?;
    let id = |position: sse_core::Position| position.id(bounds.epoch).as_str().to_owned();
    let (mut after, mut events, mut bytes) = (bounds.floor, 0, 0);
    let (mut topics, mut is_whole) = (BTreeMap::<Topic, usize>::new(), false);
    while events < count {
        let page = store.read(after, LIMIT).await?;
        let Some(last) = page.events.last() else {
            is_whole = true;
            break;
        };
        after = last.position;
        events += page.events.len();
        bytes += page.events.iter().map(|event| event.block.len()).sum::<usize>();
        for topic in page.events.iter().flat_map(|event| event.topics.iter()) {
            if topics.len() < TOPICS || topics.contains_key(topic) {
                *topics.entry(topic.clone()).or_default() += 1;
            }
        }
    }
    let topics = topics.iter().map(|(topic, events)| json!([topic.as_str(), events]));
    Ok(json!({
        "name": name,
        "oldest": bounds.oldest.map(id),
        "newest": bounds.newest.id(bounds.epoch).as_str(),
        "is_finished": bounds.is_finished,
        "events": events,
        "bytes": bytes,
        "topics": topics.collect::<Vec<_>>(),
        "is_whole": is_whole,
    }))
}
