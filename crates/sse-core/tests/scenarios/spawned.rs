//! What a log is asked can be asked from any task: a handler of each framework, or one that is spawned.

use std::future::Future;

use sse_core::{Event, EventLog, StreamResponse, TopicSet, copy};

use crate::support::client::request;
use crate::support::clock;

/// Runs a future on another task, and returns what it is.
async fn spawned<T: Send + 'static>(future: impl Future<Output = T> + Send + 'static) -> T {
    tokio::spawn(future).await.expect("no panic")
}

#[tokio::test(start_paused = true)]
async fn each_call_of_a_log_can_be_spawned() {
    let log = EventLog::in_memory(10);
    let room = || TopicSet::new(["room/1"]).expect("a topic");
    let event = || Event::new("hello").topic("room/1").expect("a topic");
    let here = log.clone();
    let (first, last) = spawned(async move {
        let first = here.append(event()).await?;
        let rest = here.append_all([event(), event()]).await?;
        Ok::<_, sse_core::Error>((first, rest[1].clone()))
    })
    .await
    .expect("in memory");
    let here = log.clone();
    let read = spawned(async move {
        let found = [here.get(&first).await?, here.get_in(&room(), &first).await?];
        let after = here.read_after(&first, 9).await?.len();
        let after_in = here.read_after_in(&room(), &first, 9).await?.len();
        let before = here.read_before(&last, 9).await?.len();
        let before_in = here.read_before_in(&room(), &last, 9).await?.len();
        assert_eq!(here.skip(1).await?, first);
        assert_eq!(here.skip_in(&room(), 1).await?, first);
        Ok::<_, sse_core::Error>([found.len(), after, after_in, before, before_in])
    });
    assert_eq!(read.await.expect("in memory"), [2; 5]);
    let here = log.clone();
    let response =
        spawned(
            async move { StreamResponse::resolved(&request(), &here, clock::timer()).await.status },
        );
    assert_eq!(response.await, 200);
    let ended = spawned(async move {
        log.delete(&log.stats().newest).await?;
        let copied = copy(&log, &EventLog::in_memory(10)).await?;
        log.new_epoch().await?;
        log.finish().await?;
        Ok::<_, sse_core::Error>(copied)
    });
    assert_eq!(ended.await.expect("in memory"), 2);
}
