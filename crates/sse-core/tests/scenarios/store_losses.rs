//! Events that a store has lost though they were acknowledged or seen. It is noticed, and told to the clients that wait.

use std::time::Duration;

use sse_core::{Event, EventLog};
use tokio::time::Instant;

use crate::support::clock::pass;
use crate::support::losses::{BOTH, client, event, keyed, process, store, told_within};
use crate::support::poller::append;
use crate::support::scripted_store::{Call, Cut, Fault};

#[derive(Debug, Clone, Copy)]
enum Append {
    One,
    Keyed,
    Batch,
    Now,
    Once,
}

impl Append {
    async fn run(self, log: &EventLog) {
        match self {
            Self::One => drop(log.append("2").await.expect("stored")),
            Self::Keyed => {
                drop(log.append(Event::new("2").key("key").expect("a key")).await.expect("stored"))
            }
            Self::Batch => drop(log.append_all(["2", "3", "4"]).await.expect("stored")),
            Self::Once => drop(
                log.append(Event::new("2").idempotency_key("key").expect("a key"))
                    .await
                    .expect("stored"),
            ),
            Self::Now => {
                let receipt = log.append_now("2").expect("queued");
                pass(1).await;
                drop(receipt.wait().expect("stored"));
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_acknowledged_event_that_is_lost_before_it_was_followed_to_begins_an_epoch() {
    for positions in BOTH {
        for append in [Append::One, Append::Keyed, Append::Batch, Append::Now, Append::Once] {
            for others in [0, 1, 5] {
                if others > 0 && matches!(append, Append::Once) {
                    // Its content is not known: it may be that of an earlier attempt.
                    continue;
                }
                let store = store(positions);
                let (log, _following) = process(&store).await;
                log.append("1").await.expect("stored");
                let mut client = client(&log, 1).await;
                let (replica, epoch) = (store.replica(), store.now().epoch);
                store.fault(Call::Pages, Fault::Stalls);
                append.run(&log).await;
                store.fail_over_to(&replica);
                // Those of another process get the ids that this one was given.
                (0..others).for_each(|_| store.add(&[event("another")]));
                store.mend(Call::Pages);
                pass(2000).await;
                let what = format!("{append:?}, then {others} by others, {positions:?}");
                assert_ne!(store.now().epoch, epoch, "{what}");
                told_within(&mut client, 2).await;
            }
        }
    }
}

/// The store shows that it has fewer events, and others append as many before it is asked for anything else.
#[tokio::test(start_paused = true)]
async fn a_loss_that_shows_only_for_a_moment_begins_an_epoch() {
    for positions in BOTH {
        let store = store(positions);
        let (log, _following) = process(&store).await;
        let replica = store.replica();
        log.append_all(["1", "2", "3"]).await.expect("stored");
        let mut client = client(&log, 3).await;
        let epoch = store.now().epoch;
        store.fault(Call::Bounds, Fault::Stalls);
        store.fail_over_to(&replica);
        pass(1000).await;
        (0..5).for_each(|_| store.add(&[event("another")]));
        store.mend(Call::Bounds);
        pass(2000).await;
        assert_ne!(store.now().epoch, epoch, "{positions:?}");
        told_within(&mut client, 2).await;
    }
}

/// It is stored, and another process deletes it, supersedes it or trims it before it is followed to.
#[tokio::test(start_paused = true)]
async fn an_acknowledged_event_that_is_gone_by_right_begins_no_epoch() {
    for positions in BOTH {
        for gone in 0..4 {
            let store = store(positions);
            let (log, _following) = process(&store).await;
            log.append("1").await.expect("stored");
            let mut client = client(&log, 1).await;
            let (epoch, begun) = (store.now().epoch, store.calls(Call::Follow));
            store.fault(Call::Pages, Fault::Stalls);
            for n in 2..=4 {
                log.append(Event::from(n.to_string()).key(&format!("key {n}")).expect("a key"))
                    .await
                    .expect("stored");
                let newest = store.now().newest;
                match gone {
                    0 => store.remove(newest),
                    1 => {
                        let newer = keyed(&format!("key {n}"), "newer");
                        store.add(&[newer]);
                    }
                    2 => store.trim(n),
                    _ => {
                        store.remove(newest);
                        store.add(&[event("more")]);
                    }
                }
            }
            store.mend(Call::Pages);
            for _ in 0..4 {
                pass(40_000).await;
                store.cut(Cut::Ends);
            }
            assert_eq!(store.now().epoch, epoch, "{gone}, {positions:?}");
            client.read_all().await;
            let is_new_epoch = |data: &String| data.contains("other-epoch");
            assert!(!client.events().iter().any(is_new_epoch), "{:?}", client.events());
            assert_eq!(store.calls(Call::Follow), begun + 3, "it has stalled: {gone}");
        }
    }
}

/// A master does this that is made a replica, and takes over the data of another one a little later on the same connections.
#[tokio::test(start_paused = true)]
async fn what_is_lost_while_all_connections_stay_is_told_within_31_seconds() {
    for positions in BOTH {
        for is_busy in [false, true] {
            let store = store(positions);
            let (log, _following) = process(&store).await;
            for n in 1..=3 {
                append(&log, &n.to_string()).await;
            }
            let replica = store.replica();
            append(&log, "4").await;
            let mut client = client(&log, 4).await;
            pass(12_345).await;
            store.go_back_to(&replica);
            store.add(&[event("4'")]);
            let busy = store.clone();
            let others = tokio::spawn(async move {
                if !is_busy {
                    return;
                }
                loop {
                    pass(100).await;
                    busy.add(&[event("more")]);
                }
            });
            let begun = Instant::now();
            while !client.parsed().iter().any(|event| event.event_type == "reset") {
                pass(10).await;
                client.read_all().await;
                assert!(begun.elapsed() <= Duration::from_secs(31), "{positions:?}, {is_busy}");
            }
            others.abort();
        }
    }
}

/// Keyed events are not in their places any more, and the follower is far behind what may have taken these: it is not looked for by reading
/// all that, once for each connection, before the follower gets on.
#[tokio::test(start_paused = true)]
async fn what_may_have_been_superseded_is_looked_for_by_following_alone() {
    for positions in BOTH {
        for is_lost in [false, true] {
            let store = store(positions);
            let (log, _following) = process(&store).await;
            log.append("0").await.expect("stored");
            let replica = store.replica();
            for n in 1..=3 {
                log.append(Event::from(n.to_string()).key(&format!("key {n}")).expect("a key"))
                    .await
                    .expect("stored");
            }
            let mut client = client(&log, 4).await;
            let epoch = store.now().epoch;
            store.fault(Call::Pages, Fault::Stalls);
            if is_lost {
                store.fail_over_to(&replica);
            }
            (0..500).for_each(|n| store.add(&[event(&n.to_string())]));
            if !is_lost {
                for n in 1..=3 {
                    let newer = keyed(&format!("key {n}"), "newer");
                    store.add(&[newer]);
                }
            }
            store.short_pages(1);
            let read = store.calls(Call::Read);
            store.cut(Cut::Ends);
            pass(2000).await;
            let read = store.calls(Call::Read) - read;
            assert!(read < 30, "{read} pages were read: {positions:?}");
            store.mend(Call::Pages);
            pass(40_000).await;
            assert_eq!(store.now().epoch != epoch, is_lost, "{positions:?}");
            client.read_all().await;
            let told = client.events().iter().filter(|data| data.contains("other-epoch")).count();
            assert_eq!(told, usize::from(is_lost), "{positions:?}");
            if !is_lost {
                assert_eq!(client.events().len(), 4 + 500 + 3, "{positions:?}");
            }
        }
    }
}
