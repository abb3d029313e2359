//! The page in a real browser.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use sse_test_kit::browser::Chromium;
use sse_test_kit::cookbook::{is_fit_to_be_seen, outage};
use sse_test_kit::engines::{Located, Redis};
use sse_test_kit::lines::Line;
use sse_test_kit::parser::Parsed;
use sse_test_kit::program::Program;
use sse_test_kit::wire::{Request, Response};

/// Remembers each time the page says that a user is typing.
const WATCH: &str = "window.typed ??= (() => { const typed = []; \
    new MutationObserver(() => typed.push($('typing').textContent)) \
        .observe($('typing'), { childList: true }); return typed; })()";

async fn post(program: &Program, room: &str, message: Value) -> u16 {
    let url = format!("http://{}/rooms/{room}/messages", program.address);
    let posted = reqwest::Client::new().post(url).json(&message).send().await;
    posted.expect("it answers").status().as_u16()
}

async fn say(program: &Program, name: &str, text: &str) {
    assert_eq!(post(program, "lobby", json!({ "name": name, "text": text })).await, 204);
}

/// Returns the next events, except those that say who is here.
async fn said(client: &mut Response, count: usize) -> Vec<Parsed> {
    let mut said = Vec::new();
    while said.len() < count {
        let event = client.next_event().await;
        said.extend((event.event_type != "here").then_some(event));
    }
    said
}

/// Waits until a client that joins the lobby sees nobody typing: three seconds after the last key.
async fn nobody_is_typing(program: &Program) {
    let url = format!("http://{}/rooms/lobby/events?poll", program.address);
    let begun = Instant::now();
    loop {
        // A request that polls is answered with what there is.
        let request = reqwest::Client::new().get(&url);
        let history = request.send().await.expect("it answers").text().await;
        if !history.expect("a text").contains("event: typing") {
            return;
        }
        assert!(begun.elapsed() < Duration::from_secs(20), "typing is deleted");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_tabs_talk_and_one_that_was_cut_off_gets_what_it_missed_once() {
    let program = Program::start(env!("CARGO_BIN_EXE_chat")).await;
    let line = Line::to(program.address).await;
    let chromium = Chromium::start().await;
    chromium.is_seen(900, 560, "light").await;
    chromium.open(&format!("http://{}/", line.address)).await;
    chromium.value("($('name').value = 'Ada', $('name').onchange(), $('text').focus())").await;
    chromium.press("Hello, is anybody there?\u{e007}").await;
    chromium.until("$('messages').innerText.includes('Hello')").await;
    assert_eq!(chromium.value("$('text').value").await, "", "what was sent has left its field");

    let first = chromium.tab().await;
    chromium.open_tab(&format!("http://{}/", line.address)).await;
    chromium.until("$('messages').innerText.includes('Hello')").await; // its history
    chromium.value("($('name').value = 'Grace', $('name').onchange(), $('text').focus())").await;
    chromium.press("Just ").await;
    chromium.go_to_tab(&first).await;
    chromium.until("$('typing').textContent === 'Grace is typing …'").await;

    line.cut();
    chromium.until("$('state').textContent === 'reconnecting'").await;
    chromium.value(WATCH).await;
    say(&program, "Grace", "I am. My train is about to enter a tunnel.").await;
    // Typed while the line is cut, and over before it is mended.
    assert_eq!(post(&program, "lobby", json!({ "name": "Linus" })).await, 204);
    say(&program, "Grace", "<b>This</b> you missed.").await;
    chromium.until("$('typing').textContent === ''").await;
    nobody_is_typing(&program).await;
    line.mend();
    chromium.until("$('messages').childElementCount >= 3 && tally.resumed === 1").await;
    assert_eq!(chromium.texts("#messages .missed").await.len(), 2, "what was missed is marked");
    say(&program, "Grace", "And now you have it.").await;
    chromium.until("$('messages').innerText.includes('And now')").await;
    let said = [
        "Hello, is anybody there?",
        "I am. My train is about to enter a tunnel.",
        "<b>This</b> you missed.",
        "And now you have it.",
    ];
    assert_eq!(chromium.texts("#messages span").await, said, "all of it, in order, and once");
    let typed = chromium.value("typed.join()").await;
    assert!(!typed.to_string().contains("Linus"), "typing is not replayed: {typed}");

    assert_eq!(post(&program, "lobby", json!({ "name": "Grace" })).await, 204);
    chromium.until("$('typing').textContent === 'Grace is typing …'").await;
    chromium.until("$('here').textContent === 'Here: Ada, Grace'").await;
    is_fit_to_be_seen(&chromium, env!("CARGO_MANIFEST_DIR")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_joins_sees_the_last_messages_of_the_room_and_nobody_typing() {
    let program = Program::start(env!("CARGO_BIN_EXE_chat")).await;
    for number in 0..30 {
        say(&program, "Ada", &format!("message {number}")).await;
    }
    assert_eq!(post(&program, "garden", json!({ "name": "Ada", "text": "roses" })).await, 204);
    assert_eq!(post(&program, "lobby", json!({ "name": "Ada" })).await, 204);
    // The clients that are connected see it; a client that joins three seconds later does not.
    let mut there = Request::get("/rooms/lobby/events").send(program.address).await;
    assert_eq!(said(&mut there, 20).await[19].event_type, "typing");
    nobody_is_typing(&program).await;

    let mut joined = Request::get("/rooms/lobby/events").send(program.address).await;
    let history = said(&mut joined, 20).await;
    assert!(history.iter().all(|event| event.event_type == "message"));
    assert!(history[0].data.contains("message 10") && history[19].data.contains("message 29"));
    let mut garden = Request::get("/rooms/garden/events").send(program.address).await;
    assert!(said(&mut garden, 1).await[0].data.contains("roses"), "a room has its own");
}

/// Joins the lobby under a name, in the tab that is open.
async fn join(chromium: &Chromium, program: &Program, name: &str) {
    chromium.open(&format!("http://{}/", program.address)).await;
    chromium.value(&format!("($('name').value = '{name}', $('name').onchange())")).await;
    chromium.until(&format!("$('here').textContent.includes('{name}')")).await;
}

async fn here(chromium: &Chromium, names: &str) {
    chromium.until(&format!("$('here').textContent === '{names}'")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_shows_who_is_in_its_room_and_who_has_left() {
    let program = Program::start(env!("CARGO_BIN_EXE_chat")).await;
    let chromium = Chromium::start().await;
    join(&chromium, &program, "Ada").await;
    here(&chromium, "Here: Ada").await;
    let first = chromium.tab().await;
    chromium.open_tab("about:blank").await;
    join(&chromium, &program, "<i>Grace</i>").await;
    here(&chromium, "Here: <i>Grace</i>, Ada").await;
    let second = chromium.tab().await;
    // A script that listens without a name is not shown; a second stream of the same user is the same user.
    let _script = Request::get("/rooms/lobby/events").send(program.address).await;
    let twice = Request::get("/rooms/lobby/events?name=Ada").send(program.address).await;
    let mut linus = Request::get("/rooms/lobby/events?name=Linus").send(program.address).await;
    here(&chromium, "Here: <i>Grace</i>, Ada, Linus").await;
    linus.next_event().await;
    linus.leave_rst();
    here(&chromium, "Here: <i>Grace</i>, Ada").await;
    twice.leave_rst();

    chromium.value("($('room').value = 'garden', $('room').onblur())").await;
    here(&chromium, "Here: <i>Grace</i>").await;
    chromium.go_to_tab(&first).await;
    here(&chromium, "Here: Ada").await;
    chromium.go_to_tab(&second).await;
    chromium.value("($('room').value = 'lobby', $('room').onblur())").await;
    here(&chromium, "Here: <i>Grace</i>, Ada").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_was_served_by_a_process_that_is_killed_is_no_longer_shown_by_another() {
    let redis = Redis::start().await;
    let engine = redis.url();
    let (_, url) = engine.split_once(':').expect("the name of an engine, and its URL");
    let path = env!("CARGO_BIN_EXE_chat");
    let stays = Program::start_with(path, &[("LOG", url)]).await;
    let killed = Program::start_with(path, &[("LOG", url)]).await;
    let chromium = Chromium::start().await;
    join(&chromium, &stays, "Ada").await;
    let first = chromium.tab().await;
    chromium.open_tab("about:blank").await;
    join(&chromium, &killed, "Grace").await;
    here(&chromium, "Here: Ada, Grace").await;
    chromium.go_to_tab(&first).await;
    here(&chromium, "Here: Ada, Grace").await;
    say(&killed, "Grace", "I am at the other process.").await;
    chromium.until("$('messages').innerText.includes('the other process')").await;

    drop(killed); // by kill -9: it says nothing
    here(&chromium, "Here: Ada").await;
    // Nor does a page see Grace that comes now: the log has dropped the entry.
    let entries = async || {
        let url = format!("http://{}/rooms/lobby/events?poll", stays.address);
        reqwest::get(url).await.expect("it answers").text().await.expect("a text")
    };
    let begun = Instant::now();
    while entries().await.contains("Grace\"],") {
        assert!(begun.elapsed() < Duration::from_secs(60), "{}", entries().await);
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_fit_is_refused() {
    let program = Program::start(env!("CARGO_BIN_EXE_chat")).await;
    assert_eq!(post(&program, "cellar", json!({ "name": "Ada", "text": "hello" })).await, 404);
    assert_eq!(post(&program, "lobby", json!({ "name": "", "text": "hello" })).await, 422);
    let long = "x".repeat(2001);
    assert_eq!(post(&program, "lobby", json!({ "name": "Ada", "text": long })).await, 422);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_could_not_be_sent_is_said_and_can_be_sent_again() {
    let path = env!("CARGO_BIN_EXE_chat");
    let program = Program::start(path).await;
    let address = program.address.to_string();
    let chromium = Chromium::start().await;
    chromium.open(&format!("http://{address}/")).await;
    let empty = "getComputedStyle($('messages'), '::before').content";
    let empty = chromium.value(empty).await;
    assert!(empty.as_str().is_some_and(|text| text.contains("Say something")), "{empty}");
    say(&program, "Ada", "before").await;
    chromium.until("$('messages').childElementCount === 1").await;
    assert_eq!(chromium.value("$('tally').textContent").await, "1 event");

    outage::is_away(&chromium, program).await;
    chromium.value("$('text').focus()").await;
    chromium.press("Is anybody there?\u{e007}").await;
    chromium.until("$('failure').textContent.startsWith('Not sent')").await;
    assert_eq!(chromium.value("$('text').value").await, "Is anybody there?");

    let _program = outage::begins_again(&chromium, path, &address).await;
    chromium.press("\u{e007}").await;
    chromium.until("$('messages').innerText.includes('Is anybody there?')").await;
    assert_eq!(chromium.value("$('failure').textContent + $('text').value").await, "");
}
