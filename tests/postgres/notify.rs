//! Followers are notified, and need not poll.

use std::time::Duration;

use sse_conformance::engines::Postgres;
use sse_core::store::Store;
use sse_log_postgres::EngineOptions;

use crate::tools::{Processes, append, bounds, client, open, take};

/// Longer than a follower looks for more after it was told of something.
const QUIET: Duration = Duration::from_millis(400);

/// The followers alone would poll again in an hour.
#[tokio::test]
async fn followers_in_this_process_and_in_others_are_told_of_what_is_appended() {
    let postgres = Postgres::start().await;
    let rarely = EngineOptions::new().poll_every(Duration::from_secs(3600));
    let (here, there) = (open(&postgres).await, postgres.store("log", rarely).await);
    let first = append(&here, "first").await;
    let mut pages = there.follow(first.previous()).await.expect("followed");
    take(&mut pages, 1).await;
    let mut client = client(&postgres).await;
    for text in ["appended here", "appended there", "in a transaction"] {
        // It waits meanwhile, as a log does.
        assert!(tokio::time::timeout(QUIET, take(&mut pages, 1)).await.is_err(), "{text}");
        match text {
            "appended here" => _ = append(&here, text).await,
            "appended there" => _ = append(&there, text).await,
            _ => {
                let transaction = client.transaction().await.expect("begun");
                here.append_in(&transaction, text).await.expect("appended");
                transaction.commit().await.expect("committed");
            }
        }
        assert_eq!(take(&mut pages, 1).await[0].1, text);
    }
}

/// An event is still found if its process died before it could notify.
#[tokio::test]
async fn followers_find_what_they_were_not_told_of() {
    let postgres = Postgres::start().await;
    let store = open(&postgres).await;
    let mut pages = store.follow(bounds(&store).await.newest).await.expect("followed");
    let untold = "SELECT sse_log_append('log', ARRAY['data: untold\n']::bytea[], NULL, NULL, '1 min', now(), NULL, NULL)";
    crate::tools::execute(&postgres, &untold.replace('\n', "\\012")).await;
    assert_eq!(take(&mut pages, 1).await[0].1, "untold");
}
