//! The newest events of a log, and those that come.

use std::collections::VecDeque;
use std::sync::Arc;

use futures_util::TryStreamExt;
use serde_json::json;
use sse_core::store::{Page, Store, StoredEvent};
use sse_core::{BoxError, Epoch, Event, Frame, StreamContext};

use crate::LIMIT;

/// The events that a page begins with.
const BEFORE: usize = 50;
/// The most characters of an event that a page shows.
const SHOWN: usize = 4000;

/// Sends the newest events, and then each that comes. Their ids are data: the page reads the log again when it comes back.
pub(super) async fn send(store: Arc<dyn Store>, client: StreamContext) -> Result<(), BoxError> {
    client.send_event(Event::typed("begin", "")).await?;
    let mut after = store.bounds().await?.floor;
    let mut newest = VecDeque::new();
    loop {
        let page = store.read(after, LIMIT).await?;
        let Some(last) = page.events.last() else { break };
        after = last.position;
        for event in &page.events {
            if newest.len() == BEFORE {
                newest.pop_front();
            }
            newest.push_back(shown(&page, event)?);
        }
    }
    for frame in newest {
        client.send_event(frame).await?;
    }
    let mut pages = store.follow(after).await?;
    while let Some(page) = pages.try_next().await? {
        for event in &page.events {
            client.send_event(shown(&page, event)?).await?;
        }
    }
    Ok(())
}

fn shown(page: &Page, event: &StoredEvent) -> Result<Frame, BoxError> {
    let epoch: Epoch = page.bounds.epoch;
    let text = String::from_utf8_lossy(&event.block);
    let event = json!({
        "id": event.position.id(epoch).as_str(),
        "bytes": event.block.len(),
        "key": event.key.as_deref(),
        "topics": event.topics.iter().map(|topic| topic.as_str()).collect::<Vec<_>>(),
        "text": text.chars().take(SHOWN).collect::<String>(),
    });
    Ok(Frame::from(Event::new(event.to_string())))
}
