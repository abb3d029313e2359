//! No chunk is larger than 64 KiB, whatever its frames come from; a larger frame is a chunk of its own.

use sse_core::{Event, EventLog, FeedOnce, OnGap, Snapshot, Start, StreamContext, merge};

use crate::support::client::Client;
use crate::support::script::Script;

const LARGEST: usize = 64 * 1024;

/// 20 000 events, so that what one chunk has and the next has not is decided often.
const EVENTS: u64 = 20_000;

async fn append(log: &EventLog, sizes: impl IntoIterator<Item = usize>) {
    for size in sizes {
        log.append("x".repeat(size)).await.expect("stored");
    }
}

/// Returns sizes around each boundary.
fn sizes() -> impl Iterator<Item = usize> {
    (0..100).chain((64_000..65_600).step_by(100)).chain([100, 200_000, 0, 70_000, 0, 1])
}

/// Reads all, and looks at each chunk.
async fn check(name: &str, feed: impl Into<FeedOnce>, id: Option<&str>, events: usize) {
    let mut client = match id {
        Some(id) => Client::resume(feed, id),
        None => Client::open(feed),
    };
    client.read_all().await;
    assert_eq!(client.events().len(), events, "{name}");
    for chunk in &client.chunks {
        let frames = chunk.windows(2).filter(|two| two == b"\n\n").count();
        assert!(chunk.len() <= LARGEST || frames == 1, "{name}: {} of {frames}", chunk.len());
    }
    let bytes: usize = client.chunks.iter().map(bytes::Bytes::len).sum();
    let most = 2 * bytes / LARGEST + 80;
    assert!(client.chunks.len() <= most, "{name}: {} for {bytes} bytes", client.chunks.len());
}

#[tokio::test(start_paused = true)]
async fn a_chunk_has_64_kib_at_most_whatever_its_frames_come_from() {
    let (a, b) = (EventLog::in_memory(100_000), EventLog::in_memory(100_000));
    for log in [&a, &b] {
        append(log, sizes()).await;
        append(log, (0..EVENTS).map(|_| 0)).await;
    }
    let count = sizes().count() + usize::try_from(EVENTS).expect("it fits");
    check("a log", a.feed().start_at(Start::Oldest), None, count).await;
    let both = || merge([("a", &a), ("b", &b)]).expect("two names").start_at(Start::Oldest);
    check("a merge", both(), None, 2 * count).await;
    check("a merge after a gap", both(), Some("nonsense"), 2 * count + 2).await;

    let source = FeedOnce::from(Script::holding(1..=EVENTS)).remembered_ids(usize::MAX);
    check("a source", source, Some("0"), usize::try_from(EVENTS).expect("it fits")).await;

    let head = a.clone();
    let snapshot = OnGap::snapshot(move |_| {
        let at = head.stats().newest;
        let frames = sizes().chain((0..EVENTS).map(|_| 0)).map(|size| Event::new("x".repeat(size)));
        async { Ok(Snapshot::new(frames, at)) }
    });
    check("a snapshot", a.feed().on_gap(snapshot), Some("nonsense"), count + 1).await;
}

#[tokio::test(start_paused = true)]
async fn a_chunk_of_a_context_has_64_kib_and_one_frame_more_at_most() {
    let feed = StreamContext::run(|context| async move {
        for size in sizes().chain((0..EVENTS).map(|_| 0)) {
            context.send_event(Event::new("x".repeat(size))).await?;
        }
        Ok(())
    });
    let mut client = Client::open(feed);
    client.read_to_end().await;
    for chunk in &client.chunks {
        let last = chunk[..chunk.len() - 2].windows(2).rposition(|two| two == b"\n\n");
        assert!(last.map_or(0, |at| at + 2) < LARGEST, "{}", chunk.len());
    }
}
