//! The storm over a source, whose two halves the library joins.

use std::sync::{Arc, Mutex, PoisonError};

use sse_conformance::suite::framework::Framework;
use sse_core::{BoxError, Event, EventId, Feed, Frame, Frames, Replay, Source, async_trait};
use tokio::sync::broadcast;

use crate::publisher::text;
use crate::storm::{Speeds, storm};

pub(crate) async fn gets_every_event_of_a_source_once_and_in_order_through_a_reconnect_storm(
    framework: &Framework,
) {
    let numbers = Arc::new(Numbers { published: Arc::default(), live: broadcast::channel(256).0 });
    let read = numbers.clone();
    let feed = move || Feed::from(read.clone());
    storm(framework, feed, "0", Speeds::Full, async move |number| {
        numbers.publish(number);
    })
    .await;
}

/// Events with ids of their own: 1, 2, 3 and so on.
struct Numbers {
    published: Arc<Mutex<Vec<Frame>>>,
    live: broadcast::Sender<Frame>,
}

impl Numbers {
    fn publish(&self, number: u64) {
        let id = EventId::try_from(number.to_string()).expect("digits make an id");
        let frame = Frame::from(Event::new(text(number)).id(id));
        let mut published = self.published.lock().unwrap_or_else(PoisonError::into_inner);
        published.push(frame.clone());
        drop(published); // so that a client may fetch an event and get it live as well
        _ = self.live.send(frame);
    }
}

#[async_trait]
impl Source for Numbers {
    async fn fetch(&self, last_event_id: &EventId) -> Result<Replay, BoxError> {
        let seen: usize = last_event_id.as_str().parse()?;
        tokio::task::yield_now().await; // a fetch takes time, in which more is published
        let published = self.published.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(published[seen..].to_vec().into())
    }

    async fn stream(&self) -> Result<Frames, BoxError> {
        let live = self.live.subscribe();
        let next = async |mut live: broadcast::Receiver<Frame>| {
            // To lag is an error: the response ends, and the client fetches what it missed.
            Some((live.recv().await, live))
        };
        Ok(Frames::new(futures_util::stream::unfold(live, next)))
    }
}
