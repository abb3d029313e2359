//! Chaos sees what is wrong with a store, whatever it is: else that it has seen nothing would mean nothing.

use std::time::Duration;

use crate::broken::{Broken, Flaw};
use crate::faults::Redb;
use crate::options::Options;
use crate::run::run;

#[track_caller]
fn check(flaw: Flaw, failure: &str, expected: &[&str]) {
    assert!(expected.iter().any(|expected| failure.contains(expected)), "{flaw:?}: {failure}");
}

async fn sees(flaw: Flaw, expected: &[&str]) {
    let engine = Redb::start().await;
    let (seed, time, patience) = (1, Duration::from_secs(20), Duration::from_secs(5));
    let options = Options { seed, time, patience, kinds: None };
    match run(Box::new(Broken { engine, flaw }), &options).await {
        Ok(counts) => panic!("{flaw:?} was not seen: {counts}"),
        Err(failure) => check(flaw, &failure, expected),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn sees_events_that_are_skipped() {
    sees(Flaw::SkipsEvents, &["was never given", "has not come"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sees_acknowledged_events_that_were_not_stored() {
    sees(Flaw::StoresNothing, &["is gone in silence", "is the id of"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sees_events_that_are_stored_twice() {
    sees(Flaw::StoresTwice, &["and at"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sees_events_in_another_order() {
    sees(Flaw::SwapsEvents, &["is the id of", "and at"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sees_deleted_events_that_are_there_still() {
    sees(Flaw::DeletesNothing, &["which was deleted"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sees_idempotency_keys_that_were_forgotten() {
    sees(Flaw::ForgetsKeys, &["has several events"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sees_batches_that_are_stored_in_parts() {
    sees(Flaw::StoresParts, &["of a batch"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sees_events_that_were_said_to_have_failed() {
    sees(Flaw::FailsAfterwards, &["said to have failed", "the append of which has failed"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sees_events_that_are_dropped_early() {
    sees(Flaw::DropsEarly, &["events were dropped"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sees_epochs_that_begin_for_no_reason() {
    sees(Flaw::BeginsEpochs, &["and nothing was lost"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sees_clients_that_do_not_get_on() {
    sees(Flaw::GetsStuck, &["has not come"]).await;
}
