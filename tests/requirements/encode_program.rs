//! The program `encode` answers each line with a line.

use std::io::Write;
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use serde_json::Value;

/// Returns the program's answers to these lines.
#[track_caller]
fn answers(lines: &[&str]) -> Vec<Value> {
    let mut program = Command::new(env!("CARGO_BIN_EXE_encode"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the program was built with this test");
    let mut stdin = program.stdin.take().expect("piped");
    stdin.write_all((lines.join("\n") + "\n").as_bytes()).expect("the program reads on");
    drop(stdin);
    let (done, output) = mpsc::channel();
    thread::spawn(move || done.send(program.wait_with_output()));
    let output = output
        .recv_timeout(Duration::from_secs(5))
        .expect("it ends with its input")
        .expect("it can be waited for");
    assert!(output.status.success(), "{:?}", output.status);
    let text = String::from_utf8(output.stdout).expect("JSON is UTF-8");
    text.lines().map(|line| serde_json::from_str(line).expect("each line is JSON")).collect()
}

#[track_caller]
fn check(line: &str, wire: &str) {
    assert_eq!(answers(&[line]), [serde_json::json!({ "wire": wire })]);
}

#[track_caller]
fn check_refused(line: &str, reason: &str) {
    let answers = answers(&[line]);
    let why = answers[0]["rejected"].as_str().expect("a reason");
    assert!(answers.len() == 1 && why.contains(reason), "{why}");
}

#[test]
fn writes_what_goes_out_for_an_event() {
    check(r#"{"data":"x"}"#, "data: x\n\n");
    check(r#"{"data":["a","b\r\nc"]}"#, "data: a\ndata: b\ndata: c\n\n");
    check(
        r#"{"comment":"c","event":"t","retry":5,"data":"","id":"7"}"#,
        ": c\nevent: t\nretry: 5\ndata: \nid: 7\n\n",
    );
    check("{}", "");
}

#[test]
fn says_why_an_event_is_refused() {
    check_refused(r#"{"id":"a\nb"}"#, "event id");
    check_refused(r#"{"event":"error","data":"x"}"#, "event type");
    check_refused(r#"{"retry":-1}"#, "retry");
    check_refused(r#"{"colour":"red"}"#, "colour");
    check_refused(r#"{"data":"#, "not an event");
    check_refused("", "not an event");
}

#[test]
fn goes_on_after_a_line_that_is_no_json() {
    let answers = answers(&[r#"{"data":"1"}"#, "}{", "[]", r#"{"data":"2"}"#]);
    assert_eq!(answers.len(), 4);
    assert_eq!(answers[0]["wire"], "data: 1\n\n");
    assert!(answers[1]["rejected"].is_string() && answers[2]["rejected"].is_string());
    assert_eq!(answers[3]["wire"], "data: 2\n\n");
}
