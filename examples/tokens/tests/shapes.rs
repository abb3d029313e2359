//! The two shapes of an answer, as they are on the wire.

use serde_json::{Value, json};
use sse_test_kit::program::Program;
use sse_test_kit::wire::{Request, Response};

const OPENAI: &str = "/v1/chat/completions";
const ANTHROPIC: &str = "/v1/messages";
const KEY: &str = "0123456789abcdef";

async fn ask(program: &Program, path: &str, key: &str, question: Value) -> Response {
    let request = Request::post(path, question.to_string());
    let request = request.header("Content-Type", "application/json").header("Idempotency-Key", key);
    request.send(program.address).await
}

/// A question to which the answer is short enough.
fn question(content: Value) -> Value {
    let messages = json!([{ "role": "user", "content": content }]);
    json!({ "model": "stand-in", "max_tokens": 3, "stream": true, "messages": messages })
}

/// All events of an answer: the type and the data of each.
async fn events(mut response: Response) -> Vec<(String, String)> {
    assert_eq!(response.status, 200);
    let mut events = Vec::new();
    loop {
        let event = response.next_event().await;
        let is_last = event.data == "[DONE]" || event.event_type == "message_stop";
        events.push((event.event_type, event.data));
        if is_last {
            response.end().await;
            return events;
        }
    }
}

fn value(data: &str) -> Value {
    serde_json::from_str(data).expect("it is JSON")
}

#[tokio::test(flavor = "multi_thread")]
async fn openais_chunks_have_no_type_and_end_with_done() {
    let program = Program::start(env!("CARGO_BIN_EXE_tokens")).await;
    let events = events(ask(&program, OPENAI, KEY, question(json!("Hello"))).await).await;
    assert!(events.iter().all(|(event_type, _)| event_type == "message"), "{events:?}");
    let (done, chunks) = events.split_last().expect("there are some");
    assert_eq!(done.1, "[DONE]");
    let choices: Vec<_> = chunks.iter().map(|(_, data)| value(data)["choices"][0].take()).collect();
    let deltas: Vec<_> = choices.iter().map(|choice| &choice["delta"]).collect();
    let role = json!({ "role": "assistant", "content": "" });
    let [i, am, not] = ["I ", "am ", "not "].map(|word| json!({ "content": word }));
    assert_eq!(deltas, [&role, &i, &am, &not, &json!({})]);
    let reasons: Vec<_> = choices.iter().map(|choice| choice["finish_reason"].as_str()).collect();
    assert_eq!(reasons, [None, None, None, None, Some("length")], "it was cut off at max_tokens");
}

#[tokio::test(flavor = "multi_thread")]
async fn anthropics_events_have_types_that_are_in_their_data_too() {
    let program = Program::start(env!("CARGO_BIN_EXE_tokens")).await;
    let events = events(ask(&program, ANTHROPIC, KEY, question(json!("Hello"))).await).await;
    let types: Vec<_> = events.iter().map(|(event_type, _)| event_type.as_str()).collect();
    let delta = "content_block_delta";
    let begin_and_end = [
        ["message_start", "content_block_start"].as_slice(),
        &[delta, delta, delta],
        &["content_block_stop", "message_delta", "message_stop"],
    ];
    assert_eq!(types, begin_and_end.concat());
    for (event_type, data) in &events {
        assert_eq!(value(data)["type"], **event_type);
    }
    assert_eq!(value(&events[0].1)["message"]["id"], format!("msg_{KEY}"));
    assert_eq!(value(&events[2].1)["delta"], json!({ "type": "text_delta", "text": "I " }));
    assert_eq!(value(&events[6].1)["delta"]["stop_reason"], "max_tokens");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_content_of_a_message_may_be_a_list_of_parts() {
    let program = Program::start(env!("CARGO_BIN_EXE_tokens")).await;
    let parts = json!([{ "type": "text", "text": "Who " }, { "type": "image" }, { "type": "text", "text": "am I?" }]);
    for path in [OPENAI, ANTHROPIC] {
        let mut question = question(parts.clone());
        question["max_tokens"] = Value::Null;
        let events = events(ask(&program, path, KEY, question).await).await;
        let words = events.iter().filter_map(|(_, data)| {
            let data: Value = serde_json::from_str(data).unwrap_or_default(); // not [DONE]
            let openais = data["choices"][0]["delta"]["content"].as_str();
            openais.or(data["delta"]["text"].as_str()).map(str::to_owned)
        });
        let text: String = words.collect();
        assert!(text.ends_with("You asked: Who am I?"), "{text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_is_refused_in_the_shape_of_its_provider() {
    let program = Program::start(env!("CARGO_BIN_EXE_tokens")).await;
    for (path, outer) in [(OPENAI, None), (ANTHROPIC, Some("error"))] {
        let mut whole = question(json!("Hello"));
        whole["stream"] = false.into();
        let without_messages = json!({ "stream": true });
        for (key, question, status, why) in [
            (KEY, whole, 400, "only streams"),
            ("short", question(json!("Hello")), 400, "16 to 64"),
            (KEY, without_messages, 422, "messages"),
        ] {
            let mut response = ask(&program, path, key, question).await;
            assert_eq!(response.status, status);
            response.end().await;
            let body: Value = serde_json::from_slice(response.bytes()).expect("it is JSON");
            assert_eq!(body["type"].as_str(), outer);
            assert_eq!(body["error"]["type"], "invalid_request_error");
            let message = body["error"]["message"].as_str();
            assert!(message.is_some_and(|message| message.contains(why)), "{body}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn when_the_server_stops_the_last_event_is_an_error_in_the_shape_of_its_provider() {
    let program = Program::start(env!("CARGO_BIN_EXE_tokens")).await;
    let mut question = question(json!("Hello"));
    question["max_tokens"] = 100.into();
    let mut openais = ask(&program, OPENAI, KEY, question.clone()).await;
    let mut anthropics = ask(&program, ANTHROPIC, KEY, question).await;
    openais.events(5).await;
    anthropics.events(5).await;
    let stopped = program.interrupt();
    let last = async |response: &mut Response| {
        let mut last = None;
        while let Ok(event) = response.event_or_end().await {
            last = Some(event);
        }
        last.expect("there is one")
    };
    let (openais, anthropics, status) =
        tokio::join!(last(&mut openais), last(&mut anthropics), stopped);
    assert!(status.success(), "its clients do not hold it open");
    assert_eq!((openais.event_type.as_str(), anthropics.event_type.as_str()), ("message", "error"));
    let (openais, anthropics) = (value(&openais.data), value(&anthropics.data));
    assert_eq!(
        (&openais["error"]["type"], &anthropics["type"]),
        (&json!("server_error"), &json!("error"))
    );
    for error in [openais, anthropics] {
        let message = error["error"]["message"].as_str();
        assert!(message.is_some_and(|message| message.contains("the server stops")), "{error}");
    }
}
