//! Two processes behind nginx: one of them is killed, and no client notices.

mod nginx;

use std::net::SocketAddr;
use std::process::{Command, Output};
use std::time::Duration;

use sse_test_kit::browser::Chromium;
use sse_test_kit::cookbook::is_fit_to_be_seen;
use sse_test_kit::engines::{Located, Nats, Redis};
use sse_test_kit::port::free_port;
use sse_test_kit::program::Program;
use sse_test_kit::wire::{End, Request};

use nginx::Nginx;

/// The number of messages that are sent between one killing and the next.
const BETWEEN: usize = 15;

#[tokio::test(flavor = "multi_thread")]
async fn nobody_notices_which_process_is_killed_over_redis() {
    let redis = Redis::start().await;
    nobody_notices_which_process_is_killed(&redis.url()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_notices_which_process_is_killed_over_nats() {
    let nats = Nats::start().await;
    nobody_notices_which_process_is_killed(&nats.url()).await;
}

#[tokio::test]
async fn sigterm_ends_it_after_whole_events() {
    let redis = Redis::start().await;
    let engine = redis.url();
    let (_, url) = engine.split_once(':').expect("the name of an engine, and its URL");
    let program = process(SocketAddr::from(([127, 0, 0, 1], free_port())), url).await;
    let mut stream = Request::get("/events").send(program.address).await;
    let taken = Request::post("/say?key=1", "hello").send(program.address).await;
    assert_eq!(taken.status, 200);
    stream.next_event().await;

    let ended = program.terminate().await;
    assert!(ended.success(), "{ended}");
    assert_eq!(stream.end().await, End::Clean);
    let wire = String::from_utf8_lossy(stream.bytes()).into_owned();
    let goodbye = wire.lines().last().expect("it had events");
    assert!(wire.ends_with('\n') && goodbye.starts_with("retry: "), "{wire}");
}

#[test]
fn deploying_shows_how_it_waits_for_sigterm() {
    let source = include_str!("../src/main.rs");
    let (_, rest) = source.split_once("/// Ready at SIGTERM").expect("it has such a function");
    let (function, _) = rest.split_once("\n}\n").expect("a function ends");
    assert!(include_str!("../../../docs/deploying.md").contains(function));
}

/// `redis:redis://127.0.0.1:6379`, as engines say where they are.
async fn nobody_notices_which_process_is_killed(engine: &str) {
    let (_, url) = engine.split_once(':').expect("the name of an engine, and its URL");
    let addresses = [free_port(), free_port()].map(|port| SocketAddr::from(([127, 0, 0, 1], port)));
    let first = process(addresses[0], url).await;
    let second = process(addresses[1], url).await;
    let nginx = Nginx::start(addresses).await;
    let chromium = Chromium::start().await;
    chromium.open(&format!("http://{}/", nginx.address)).await;
    chromium.until("$('state').textContent === 'live'").await;

    let mut sent = 0;
    send(nginx.address, &mut sent).await;
    drop(first); // which kills it
    send(nginx.address, &mut sent).await;
    let first = process(addresses[0], url).await;
    drop(second);
    send(nginx.address, &mut sent).await;
    drop(first);
    tokio::time::sleep(Duration::from_secs(2)).await; // none is there, and the browser asks
    let _first = process(addresses[0], url).await;
    let _second = process(addresses[1], url).await;
    send(nginx.address, &mut sent).await;

    let all: Vec<String> = (0..sent).map(|number| format!("message {number}")).collect();
    chromium.until(&format!("$('messages').childElementCount >= {sent}")).await;
    let mut seen = chromium.texts("#messages li span").await;
    seen.reverse();
    assert_eq!(seen, all, "each message once, in order");
    let connected_to = chromium.texts("#by").await.remove(0);
    assert!(addresses.iter().any(|address| address.to_string() == connected_to), "{connected_to}");
    assert!(chromium.value("tally.resumed").await.as_u64() > Some(0), "it was cut off");
    assert_eq!(chromium.value("tally.events").await, sent, "and told of no gap");
    let by = chromium.value(
        "new Set([...document.querySelectorAll('li code')].map((it) => it.textContent)).size",
    );
    assert_eq!(by.await, 2, "both have taken messages");
    is_fit_to_be_seen(&chromium, env!("CARGO_MANIFEST_DIR")).await;

    curl_resumes_in_either(addresses, &all);
    curl_says_it_once(nginx.address);
}

async fn process(address: SocketAddr, url: &str) -> Program {
    let listen = address.to_string();
    Program::start_with(env!("CARGO_BIN_EXE_fleet"), &[("LOG", url), ("LISTEN", &listen)]).await
}

/// Sends messages through the proxy, each until it was taken.
async fn send(proxy: SocketAddr, sent: &mut usize) {
    for number in *sent..*sent + BETWEEN {
        let path = format!("/say?key=message-{number}");
        let take = async {
            loop {
                let request = Request::post(&path, format!("message {number}"));
                if request.try_send(proxy).await.is_ok_and(|answer| answer.status == 200) {
                    return;
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(10), take).await.expect("a process takes it");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    *sent += BETWEEN;
}

/// With an id that one process gave, the other gives the rest.
fn curl_resumes_in_either(addresses: [SocketAddr; 2], all: &[String]) {
    let whole = curl(addresses[0], "");
    assert_eq!(messages(&whole)[..], all[all.len().saturating_sub(50)..], "the last fifty");
    let ids: Vec<_> = whole.lines().filter_map(|line| line.strip_prefix("id: ")).collect();
    let (middle, rest) = (ids[ids.len() / 2], ids.len() - ids.len() / 2 - 1);
    let resumed = curl(addresses[1], middle);
    assert_eq!(messages(&resumed)[..], all[all.len() - rest..], "what came after the id");
}

/// Runs the command of the README twice, as a user does who got no answer.
fn curl_says_it_once(address: SocketAddr) {
    const COMMAND: &str = "curl --data hello \"http://127.0.0.1:3000/say?key=1\"";
    assert!(include_str!("../README.md").contains(COMMAND));
    let command = COMMAND.replace("127.0.0.1:3000", &address.to_string());
    let say = || Command::new("bash").args(["-c", &command]).output().expect("bash is there");
    let first = say();
    assert!(first.status.success() && !first.stdout.is_empty());
    assert_eq!(say().stdout, first.stdout, "the same id");
    let received = messages(&curl(address, ""));
    assert_eq!(received.iter().filter(|text| *text == "hello").count(), 1);
}

/// Returns all that curl has received once nothing more comes.
fn curl(address: SocketAddr, last_event_id: &str) -> String {
    let Output { stdout, .. } = Command::new("curl")
        .args(["--silent", "--no-buffer", "--max-time", "2"])
        .args(["--header", &format!("Last-Event-ID: {last_event_id}")])
        .arg(format!("http://{address}/events"))
        .output()
        .unwrap_or_else(|error| panic!("curl: {error}; tests/run installs it (Debian: curl)"));
    String::from_utf8(stdout).expect("an event stream is text")
}

fn messages(stream: &str) -> Vec<String> {
    let data = stream.lines().filter_map(|line| line.strip_prefix("data: "));
    let data = data.filter(|data| data.starts_with('{')); // not the name of the process
    let text = data.map(|data| {
        let data: serde_json::Value = serde_json::from_str(data).expect("a message is JSON");
        data["text"].as_str().expect("it has a text").to_owned()
    });
    text.collect()
}
