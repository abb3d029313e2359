//! The program on a file, as one uses it.

use std::process::Command;
use std::time::Duration;

use sse_log_redb::{closed, open};

fn run(arguments: &[&str]) -> (bool, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_look-inside")).args(arguments).output();
    let output = output.expect("cargo has built the program");
    let text = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8(text).expect("UTF-8"))
}

#[tokio::test]
async fn it_lists_reads_and_trims_a_log() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("events.redb");
    let log = open(&path, "prices").await.expect("a file can be written");
    let first = log.append("one").await.expect("stored");
    let second = log.append_keyed("a key", "two").await.expect("stored");
    drop(log);
    assert!(closed(&path, Duration::from_secs(5)).await.expect("its state is known"));

    let url = format!("redb:{}", path.display());
    let (is_well, text) = run(&[&url, "prices", "list"]);
    assert!(is_well, "{text}");
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[0], format!("{first}      10 one"));
    assert_eq!(lines[1], format!("{second}      10 [a key] two"));
    assert_eq!(lines[2], format!("newest: {second}"));

    assert_eq!(run(&[&url, "prices", "read", first.as_str()]), (true, "data: one\n".into()));
    let (is_well, text) = run(&[&url, "prices", "trim", "1"]);
    assert!(is_well && text == format!("oldest: {second}\n"), "{text}");
    let (is_well, text) = run(&[&url, "prices", "read", first.as_str()]);
    assert!(!is_well && text.contains("is kept"), "{text}");

    let (is_well, text) = run(&["ftp:somewhere", "prices", "list"]);
    assert!(!is_well && text.contains("is the URL of no store"), "{text}");
}
