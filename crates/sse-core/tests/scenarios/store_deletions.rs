//! Deletions, and what a store has lost: the one never hides the other, nor is taken for it.

use sse_core::{Position, Start};

use crate::support::client::Client;
use crate::support::clock::pass;
use crate::support::losses::{BOTH, client, event, process, store, told_within};
use crate::support::poller::append;
use crate::support::script::numbers;
use crate::support::scripted_store::{Call, Cut, Fault, Positions};

#[tokio::test(start_paused = true)]
async fn a_failover_that_loses_a_deletion_with_the_newest_events_begins_an_epoch() {
    for (positions, others) in [(BOTH[0], 1), (BOTH[1], 1), (BOTH[0], 4), (BOTH[1], 4)] {
        let store = store(positions);
        let (log, _following) = process(&store).await;
        let mut ids = Vec::new();
        for n in 1..=3 {
            ids.push(append(&log, &n.to_string()).await);
        }
        let (replica, epoch) = (store.replica(), store.now().epoch);
        append(&log, "4").await;
        log.delete(&ids[1].parse().expect("an id")).await.expect("deleted");
        let mut client = client(&log, 3).await;
        pass(100).await;
        store.fail_over_to(&replica);
        (0..others).for_each(|_| store.add(&[event("another")]));
        assert!(told_within(&mut client, 2).await <= 2000);
        assert_ne!(store.now().epoch, epoch, "{positions:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_deletion_that_is_lost_alone_begins_an_epoch() {
    let store = store(Positions::Dense);
    let (log, _following) = process(&store).await;
    let first = append(&log, "1").await;
    append(&log, "2").await;
    let (replica, epoch) = (store.replica(), store.now().epoch);
    log.delete(&first.parse().expect("an id")).await.expect("deleted");
    let mut client = client(&log, 1).await;
    pass(100).await;
    store.fail_over_to(&replica);
    assert!(told_within(&mut client, 2).await <= 2000);
    assert_ne!(store.now().epoch, epoch);
}

/// After the failover others delete more than had been deleted before it.
#[tokio::test(start_paused = true)]
async fn deletions_after_a_failover_do_not_hide_what_it_has_lost() {
    for positions in BOTH {
        let store = store(positions);
        let (log, _following) = process(&store).await;
        for n in 1..=5 {
            append(&log, &n.to_string()).await;
        }
        let (replica, epoch) = (store.replica(), store.now().epoch);
        append(&log, "6").await;
        let mut client = client(&log, 6).await;
        store.fail_over_to(&replica);
        let kept = store.kept_after(Position::START);
        kept[..2].iter().for_each(|event| store.remove(event.position));
        store.add(&[event("6'"), event("7'")]);
        assert!(told_within(&mut client, 2).await <= 2000);
        assert_ne!(store.now().epoch, epoch, "{positions:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn events_that_another_process_deletes_are_no_loss_however_many_of_the_newest_they_are() {
    for positions in BOTH {
        let store = store(positions);
        let (log, _following) = process(&store).await;
        for n in 1..=20 {
            append(&log, &n.to_string()).await;
        }
        let epoch = store.now().epoch;
        let mut client = client(&log, 20).await;
        for round in 0..20 {
            let newest = store.kept_after(Position::START).pop().expect("there are some");
            store.remove(newest.position);
            if round % 3 == 0 {
                store.cut(Cut::Fails);
            }
            pass([10, 1500, 35_000][round % 3]).await;
            assert_eq!(store.now().epoch, epoch, "after {round}, {positions:?}");
        }
        append(&log, "21").await;
        pass(100).await;
        assert_eq!(client.read_all().await, numbers(1..=21));
    }
}

/// The process does not know yet that the store has dropped it.
#[tokio::test(start_paused = true)]
async fn what_is_deleted_after_it_was_trimmed_is_seen_by_nobody() {
    for positions in BOTH {
        let store = store(positions);
        let (log, _following) = process(&store).await;
        let mut ids = Vec::new();
        for n in 1..=3 {
            ids.push(append(&log, &n.to_string()).await);
        }
        let _seen = client(&log, 3).await;
        store.fault(Call::Pages, Fault::Stalls);
        store.trim(2);
        log.delete(&ids[0].parse().expect("an id")).await.expect("deleted");
        let mut client = Client::open(log.feed().start_at(Start::Oldest));
        let events = client.read_all().await;
        assert!(!events.contains(&"1".to_owned()), "{events:?}, {positions:?}");
        assert!(events.contains(&"3".to_owned()), "{events:?}, {positions:?}");
    }
}
