//! The SDKs of OpenAI and of Anthropic read answers, with the options that they have by default.

#[path = "../src/stand_in.rs"]
mod stand_in;

use std::net::SocketAddr;

use sse_conformance::clients::sdk::{Read, Sdk};
use sse_test_kit::lines::{Cuts, CuttingProxy};
use sse_test_kit::program::Program;
use sse_test_kit::wire::Request;
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy, sink};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;

const OPENAI: &str = "/v1/chat/completions";
const ANTHROPIC: &str = "/v1/messages";
const KEY: &str = "0123456789abcdef";

/// One named test for each requirement, for each SDK.
macro_rules! sdks {
    ($($name:ident($script:literal, $path:ident, $finish:literal) { $($requirement:ident)+ })+) => {$(
        mod $name {
            use super::*;

            const SDK: Sdk = Sdk { script: $script, path: $path, finish: $finish };
            $(
                #[tokio::test(flavor = "multi_thread")]
                async fn $requirement() {
                    super::$requirement(SDK).await;
                }
            )+
        }
    )+};
}

sdks! {
    npm_openai("openai.mjs", OPENAI, "stop") {
        reads_the_whole_answer
        raises_an_error_at_a_cut_and_reads_the_whole_with_the_same_key
        raises_an_error_when_the_server_stops
        takes_a_clean_end_in_the_middle_for_the_end_without_a_finish_reason
    }
    npm_anthropic("anthropic.mjs", ANTHROPIC, "end_turn") {
        reads_the_whole_answer
        raises_an_error_at_a_cut_and_reads_the_whole_with_the_same_key
        raises_an_error_when_the_server_stops
        takes_a_clean_end_in_the_middle_for_the_end_without_a_finish_reason
    }
    npm_ai("ai.mjs", OPENAI, "stop") {
        reads_the_whole_answer
        raises_an_error_at_a_cut_and_reads_the_whole_with_the_same_key
        raises_an_error_when_the_server_stops
        raises_an_error_at_a_clean_end_in_the_middle
    }
    pypi_openai("use_openai.py", OPENAI, "stop") {
        reads_the_whole_answer
        raises_an_error_at_a_cut_and_reads_the_whole_with_the_same_key
        raises_an_error_when_the_server_stops
        takes_a_clean_end_in_the_middle_for_the_end_without_a_finish_reason
    }
    pypi_anthropic("use_anthropic.py", ANTHROPIC, "end_turn") {
        reads_the_whole_answer
        raises_an_error_at_a_cut_and_reads_the_whole_with_the_same_key
        raises_an_error_when_the_server_stops
        takes_a_clean_end_in_the_middle_for_the_end_without_a_finish_reason
    }
}

async fn reads_the_whole_answer(sdk: Sdk) {
    let program = Program::start(env!("CARGO_BIN_EXE_tokens")).await;
    check_whole(sdk, &sdk.ask(program.address, KEY).await);
}

/// A cut by FIN lacks the last chunk of HTTP, so it can be told from an end, as a RST can.
async fn raises_an_error_at_a_cut_and_reads_the_whole_with_the_same_key(sdk: Sdk) {
    let program = Program::start(env!("CARGO_BIN_EXE_tokens")).await;
    let cut = async |rst_share, key| {
        let cuts = Cuts { seed: fastrand::u64(..), bytes: 4_000..12_000, rst_share, limit: 1 };
        println!("{cuts:?}");
        let proxy = CuttingProxy::start(program.address, cuts).await;
        check_error(&sdk.ask(proxy.addr(), key).await);
        assert_eq!(proxy.cuts(), 1, "it is not an error of another kind");
        check_whole(sdk, &sdk.ask(proxy.addr(), key).await);
    };
    tokio::join!(cut(0., "by-fin-0123456789"), cut(1., "by-rst-0123456789"));
}

/// The response ends cleanly, after an event that is an error.
async fn raises_an_error_when_the_server_stops(sdk: Sdk) {
    let program = Program::start(env!("CARGO_BIN_EXE_tokens")).await;
    let (line, has_come) = watched(program.address, 4_000).await;
    let stop = async {
        has_come.await.expect("some of the answer comes");
        assert!(program.interrupt().await.success());
    };
    let (read, ()) = tokio::join!(sdk.ask(line, KEY), stop);
    check_error(&read);
    assert!(read.error.is_some_and(|error| error.contains("the server stops")));
}

/// Some proxies hide a cut. Then only the finish reason, or stop reason, tells the user that the answer is not whole.
async fn takes_a_clean_end_in_the_middle_for_the_end_without_a_finish_reason(sdk: Sdk) {
    let read = sdk.ask(ending_cleanly_in_the_middle(sdk).await, KEY).await;
    check_part(&read);
    assert_eq!((read.error, read.finish), (None, None));
}

async fn raises_an_error_at_a_clean_end_in_the_middle(sdk: Sdk) {
    check_error(&sdk.ask(ending_cleanly_in_the_middle(sdk).await, KEY).await);
}

#[test]
fn the_readmes_lines_are_those_of_the_programs() {
    let programs = [
        include_str!("../../../tests/clients/sdks/openai.mjs"),
        include_str!("../../../tests/clients/sdks/anthropic.mjs"),
        include_str!("../../../tests/clients/sdks/ai.mjs"),
        include_str!("../../../tests/clients/sdks/use_openai.py"),
        include_str!("../../../tests/clients/sdks/use_anthropic.py"),
    ];
    let blocks = include_str!("../README.md").split("```").skip(1).step_by(2);
    let blocks = blocks
        .filter_map(|block| block.strip_prefix("js\n").or_else(|| block.strip_prefix("python\n")));
    let blocks: Vec<_> = blocks.collect();
    assert_eq!(blocks.len(), programs.len());
    for (block, program) in blocks.iter().zip(programs) {
        for line in block.lines() {
            assert!(program.lines().any(|of_it| of_it.trim() == line), "{line}");
        }
    }
}

#[track_caller]
fn check_whole(sdk: Sdk, read: &Read) {
    assert_eq!(read.text, stand_in::answer("Who are you?").concat(), "{:?}", read.error);
    assert_eq!((read.error.as_ref(), read.finish.as_deref()), (None, Some(sdk.finish)));
}

#[track_caller]
fn check_error(read: &Read) {
    check_part(read);
    assert!(read.error.is_some(), "a short text looks whole: {read:?}");
    println!("{read:?}");
}

#[track_caller]
fn check_part(read: &Read) {
    let whole = stand_in::answer("Who are you?").concat();
    let is_part = whole.starts_with(&read.text) && read.text.len() < whole.len();
    assert!(is_part, "{read:?}");
}

/// A line to this server for one connection, and what is ready once so many bytes have come from there.
async fn watched(server: SocketAddr, bytes: u64) -> (SocketAddr, oneshot::Receiver<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("loopback has a free port");
    let address = listener.local_addr().expect("a bound socket has an address");
    let (sender, have_come) = oneshot::channel();
    tokio::spawn(async move {
        let mut client = listener.accept().await?.0;
        let mut server = TcpStream::connect(server).await?;
        let ((mut from_client, mut to_client), (from_server, mut to_server)) =
            (client.split(), server.split());
        let downwards = async {
            let mut first = from_server.take(bytes);
            copy(&mut first, &mut to_client).await?;
            sender.send(()).ok(); // an error means that the test is over
            copy(&mut first.into_inner(), &mut to_client).await?;
            to_client.shutdown().await
        };
        tokio::try_join!(copy(&mut from_client, &mut to_server), downwards)
    });
    (address, have_come)
}

/// A server that answers with the first events of an answer, and then with the last chunk of HTTP.
async fn ending_cleanly_in_the_middle(sdk: Sdk) -> SocketAddr {
    let program = Program::start(env!("CARGO_BIN_EXE_tokens")).await;
    let question = r#"{"stream": true, "messages": [{"role": "user", "content": "Who are you?"}]}"#;
    let request = Request::post(sdk.path, question).header("Content-Type", "application/json");
    let mut events = String::new();
    for event in request.send(program.address).await.events(10).await {
        events += &format!("event: {}\ndata: {}\n\n", event.event_type, event.data);
    }
    let response = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n{:x}\r\n{events}\r\n0\r\n\r\n",
        events.len()
    );
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("loopback has a free port");
    let address = listener.local_addr().expect("a bound socket has an address");
    tokio::spawn(async move {
        let mut client = listener.accept().await?.0;
        client.write_all(response.as_bytes()).await?;
        client.shutdown().await?;
        // A socket that is closed with something unread sends a RST.
        copy(&mut client, &mut sink()).await
    });
    address
}
