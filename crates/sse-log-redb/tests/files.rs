//! Files that are none of ours, or damaged.

use std::error::Error as _;
use std::fs;
use std::path::Path;

use futures_executor::block_on;
use sse_log_redb::{Options, RedbStore};

type Test = Result<(), Box<dyn std::error::Error>>;

/// Why a file cannot be opened.
fn refusal(path: &Path, options: &Options) -> String {
    let error = block_on(RedbStore::connect(path, "log", options)).expect_err("a refusal");
    assert!(error.is_store() && !error.is_outcome_unknown());
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text = format!("{text}: {error}");
        source = error.source();
    }
    text
}

#[track_caller]
fn check(path: &Path, expected: &str) {
    let refusal = refusal(path, &Options::default());
    assert!(refusal.contains(expected), "{refusal}");
    assert!(!expected.is_empty());
}

#[test]
fn a_file_that_cannot_be_opened_is_an_error_that_says_why() -> Test {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("log.redb");

    check(&folder.path().join("missing/log.redb"), "No such file");
    check(folder.path(), "Is a directory");
    fs::write(&path, "a text, and not a short one\n".repeat(10_000))?;
    check(&path, "no redb file");
    fs::write(&path, "short")?;
    check(&path, "no redb file");
    fs::write(&path, vec![0; 1 << 20])?;
    check(&path, "no redb file");

    let other = folder.path().join("other.redb");
    let database = redb::Database::create(&other)?;
    let txn = database.begin_write()?;
    let table = redb::TableDefinition::<u64, u64>::new("theirs");
    txn.open_table(table)?.insert(1, 1)?;
    txn.commit()?;
    check(&other, "open already, in another process");
    drop(database);
    check(&other, "a redb file of something else");
    Ok(())
}

#[test]
fn a_name_that_is_none_is_refused() -> Test {
    let folder = tempfile::tempdir()?;
    for name in ["", "a b", "ä", "a/b", &"x".repeat(65)] {
        let options = Options::default();
        let opened = block_on(RedbStore::connect(folder.path().join("x"), name, &options));
        assert!(format!("{:?}", opened.err()).contains("is no name"));
    }
    Ok(())
}
