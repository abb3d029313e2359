//! A program without an SDK reads an answer.

use std::process::Stdio;

use serde_json::Value;
use sse_test_kit::lines::{Cuts, CuttingProxy};
use sse_test_kit::program::Program;
use sse_test_kit::wire::{Request, Response};
use tokio::process::Command;

const PATH: &str = "/v1/chat/completions";

async fn ask(program: &Program, key: &str, last_event_id: Option<&str>) -> Response {
    let question = r#"{"model":"stand-in","stream":true,"messages":[{"role":"user","content":"Who are you?"}]}"#;
    let request = Request::post(PATH, question)
        .header("Content-Type", "application/json")
        .header("Idempotency-Key", key);
    match last_event_id {
        Some(id) => request.header("Last-Event-ID", id).send(program.address).await,
        None => request.send(program.address).await,
    }
}

fn word(data: &str) -> String {
    let chunk: Value = serde_json::from_str(data).expect("a chunk is JSON");
    assert_eq!(chunk["object"], "chat.completion.chunk");
    chunk["choices"][0]["delta"]["content"].as_str().unwrap_or_default().to_owned()
}

/// All of an answer: it ends with `[DONE]`, as OpenAI's do.
async fn whole(mut response: Response) -> String {
    let mut text = String::new();
    loop {
        let event = response.next_event().await;
        if event.data == "[DONE]" {
            response.end().await;
            return text;
        }
        text += &word(&event.data);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn npm_eventsource_parser_over_fetch_reads_each_word_once_over_a_line_that_is_cut() {
    let program = Program::start(env!("CARGO_BIN_EXE_tokens")).await;
    let cuts = Cuts { seed: fastrand::u64(..), bytes: 1_500..4_000, rst_share: 0.5, limit: 8 };
    println!("seed {}", cuts.seed);
    let proxy = CuttingProxy::start(program.address, cuts).await;
    let key = "0123456789abcdef0123456789abcdef";
    let node = Command::new(sse_test_kit::installed::node())
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/reads.mjs"))
        .args([&format!("http://{}{PATH}", proxy.addr()), key])
        .stderr(Stdio::inherit())
        .kill_on_drop(true)
        .output();
    let output = node.await.expect("node runs");
    assert!(output.status.success(), "{output:?}");
    let read: Value = serde_json::from_slice(&output.stdout).expect("it prints JSON");
    // Another client that knows the key reads the same.
    let expected = whole(ask(&program, key, None).await).await;
    assert_eq!(read["text"], *expected);
    assert!(read["requests"].as_u64() > Some(3), "it was cut: {read}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_is_done_stays_done() {
    let program = Program::start(env!("CARGO_BIN_EXE_tokens")).await;
    let mut response = ask(&program, "0123456789abcdef", None).await;
    while response.next_event().await.data != "[DONE]" {}
    let again = ask(&program, "0123456789abcdef", Some(response.last_event_id())).await;
    assert_eq!(again.status, 204);
    assert_eq!(ask(&program, "short", None).await.status, 400);
}

#[tokio::test(flavor = "multi_thread")]
async fn writing_stops_once_nobody_listens_and_no_sooner() {
    let program = Program::start(env!("CARGO_BIN_EXE_tokens")).await;
    let (mut first, mut second) = (
        ask(&program, "0123456789abcdef", None).await,
        ask(&program, "0123456789abcdef", None).await,
    );
    assert_eq!(first.events(3).await, second.events(3).await, "both read the same answer");
    let id = first.last_event_id().to_owned();
    first.leave_rst();
    // Longer than it has patience for one that nobody reads.
    second.events(60).await;
    assert_eq!(program.output().len(), 1, "one is left: {:?}", program.output());
    second.leave_fin();
    let said = program.says("nobody listens").await;
    let written = said.split(' ').nth(4).and_then(|word| word.parse::<u32>().ok());
    assert!(written.is_some_and(|written| (63..143).contains(&written)), "{said}");

    // A client that comes back later gets an error, and then an answer from its beginning.
    let mut back = ask(&program, "0123456789abcdef", Some(&id)).await;
    assert_eq!(back.next_event().await.event_type, "reset");
    assert_eq!(word(&back.next_event().await.data), "", "the first has the role alone");
    assert_eq!(word(&back.next_event().await.data), "I ");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_readmes_curl_prints_an_answer() {
    let program = Program::start(env!("CARGO_BIN_EXE_tokens")).await;
    let readme = include_str!("../README.md");
    let block = readme.split("```sh\n").find(|block| block.starts_with("curl"));
    let command = block.and_then(|block| block.split("```").next()).expect("it has a curl");
    let command = command.replace("127.0.0.1:3000", &program.address.to_string());
    let curl = Command::new("sh").args(["-c", &command]).kill_on_drop(true).output();
    let printed = curl.await.expect("sh runs").stdout;
    let printed = String::from_utf8(printed).expect("UTF-8");
    let lines: Vec<_> = printed.lines().collect();
    assert_eq!(lines[0], ": ok");
    assert!(lines[1].starts_with("retry: ") && lines[2].starts_with("data: {"), "{printed}");
    assert!(printed.contains(r#""finish_reason":"stop""#), "{printed}");
    let last = printed.trim_end().rsplit("\n\n").next();
    assert!(last.is_some_and(|last| last.starts_with("data: [DONE]\nid: ")), "{printed}");
}
