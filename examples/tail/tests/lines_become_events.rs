//! The program as its user runs it.

use std::fs::OpenOptions;
use std::io::{BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use sse_test_kit::eventually::eventually;
use sse_test_kit::wire::{Request, Response};

/// The program, ended with the test.
struct Tail {
    child: Child,
    address: SocketAddr,
}

impl Tail {
    fn start(arguments: &[&str]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_tail"))
            .args(arguments)
            .env("LISTEN", "127.0.0.1:0")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the program was built with this test");
        let mut line = String::new();
        let stdout = child.stdout.as_mut().expect("it is piped");
        BufReader::new(stdout).read_line(&mut line).expect("it says where it listens");
        let address = line.split(['/', ',']).nth(2).expect("its line has a URL");
        Self { address: address.parse().expect("a URL with an address"), child }
    }

    async fn watch(&self) -> Response {
        let mut response = Request::get("/events").send(self.address).await;
        response.read_until(|bytes| bytes.starts_with(b": ok\n")).await;
        response
    }
}

impl Drop for Tail {
    fn drop(&mut self) {
        self.child.kill().expect("it runs until it is killed");
        self.child.wait().expect("it was killed");
    }
}

#[tokio::test]
async fn each_line_of_the_standard_input_is_an_event() {
    let mut tail = Tail::start(&[]);
    let mut watching = tail.watch().await;
    let mut input = tail.child.stdin.take().expect("it is piped");
    input.write_all(b"one\n\ntwo\r\nlast without an end").expect("it reads");
    drop(input);
    let data: Vec<_> = watching.events(4).await.into_iter().map(|event| event.data).collect();
    assert_eq!(data, ["one", "", "two", "last without an end"]);
}

#[tokio::test]
async fn a_page_begins_with_the_last_ten_lines_whatever_id_it_sends() {
    let mut tail = Tail::start(&[]);
    let mut watching = tail.watch().await;
    let mut input = tail.child.stdin.take().expect("it is piped");
    for number in 1..=50 {
        writeln!(input, "{number}").expect("it reads");
    }
    watching.events(50).await;
    let last_ten: Vec<_> = (41..=50).map(|number| number.to_string()).collect();
    for (path, resets) in [("/events", 0), ("/events?lastEventId=x", 1)] {
        let mut page = Request::get(path).send(tail.address).await;
        let events = page.events(resets + 10).await;
        assert!(events[..resets].iter().all(|event| event.event_type == "reset"));
        let lines: Vec<_> = events[resets..].iter().map(|event| event.data.as_str()).collect();
        assert_eq!(lines, last_ten, "{path}");
    }
}

#[tokio::test]
async fn ctrl_c_ends_it_though_the_standard_input_waits_for_a_line() {
    let mut tail = Tail::start(&[]);
    let _watching = tail.watch().await;
    let id = tail.child.id().to_string();
    let sent = Command::new("sh").args(["-c", "kill -INT $0", &id]).status();
    assert!(sent.is_ok_and(|status| status.success()), "it runs, and is ours");
    let ended = || tail.child.try_wait().expect("it is our child").is_some();
    eventually(Duration::from_secs(5), "it has ended", ended).await;
}

#[tokio::test]
async fn each_line_appended_to_a_file_is_an_event() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("log");
    std::fs::write(&path, "from before\n").expect("a file");
    let tail = Tail::start(&[path.to_str().expect("a plain name")]);
    let mut watching = tail.watch().await;

    let mut file = OpenOptions::new().append(true).open(&path).expect("the file");
    // The first lines may come before the program has looked where the file ends: it is there once one arrives.
    let first = loop {
        writeln!(file, "are you there").expect("the disk has room");
        let wait = Duration::from_millis(200);
        if let Ok(event) = tokio::time::timeout(wait, watching.next_event()).await {
            break event;
        }
    };
    assert_eq!(first.data, "are you there");
    write!(file, "half").expect("the disk has room");
    writeln!(file, " a line").expect("the disk has room");
    let whole = loop {
        let event = watching.next_event().await;
        if event.data != "are you there" {
            break event;
        }
    };
    assert_eq!(whole.data, "half a line");

    std::fs::write(&path, "anew\n").expect("the disk has room");
    assert_eq!(watching.next_event().await.data, "anew");
}
