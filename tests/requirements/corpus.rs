//! The inputs that a search guided by coverage has found are tried with every run.

use std::fs;
use std::path::Path;

use sse_test_kit::{parser, rules};

#[path = "../../fuzz/src/encode.rs"]
#[allow(unreachable_pub)]
mod encode;
#[path = "../../fuzz/src/stream_request.rs"]
#[allow(unreachable_pub)]
mod stream_request;

#[test]
fn every_event_of_the_corpus_comes_back_the_same_or_is_refused() {
    for_each_input("encode", encode::check);
}

#[test]
fn every_request_of_the_corpus_gets_the_missed_events_or_a_reset() {
    for_each_input("stream_request", stream_request::check);
}

#[track_caller]
fn for_each_input(target: &str, check: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus").join(target);
    let files = fs::read_dir(&folder).expect("the corpus is part of the repository");
    let mut count = 0;
    for file in files {
        let path = file.expect("readable").path();
        println!("{}", path.display()); // shown for the one that fails
        check(&fs::read(&path).expect("readable"));
        count += 1;
    }
    assert!(count >= 20, "{count} inputs in {}", folder.display());
}
