//! The hello-worlds, from a fresh clone, by the command of the README.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;

use sse_test_kit::port::free_port;
use sse_test_kit::wire::Request;

use crate::blocks::{read, root};
use crate::checkout::{building, cargo, kept, repository, succeed};
use crate::program::{Program, Shell};

const COMMAND: &str = "cargo run -p hello-axum";

macro_rules! runs {
    ([$($long:meta)?] $framework:ident $constant:ident: $($does:ident)*) => {
        #[tokio::test]
        $(#[$long])?
        async fn $framework() {
            runs_from_a_fresh_clone(stringify!($framework)).await;
        }
    };
}

sse_conformance::for_each_framework!(runs);

async fn runs_from_a_fresh_clone(framework: &str) {
    assert!(read(&root().join("README.md")).contains(COMMAND), "the README says so");
    let package = format!("hello-{framework}");
    let command = COMMAND.replace("hello-axum", &package);
    let port = free_port();
    let address = SocketAddr::from(([127, 0, 0, 1], port));
    let one_at_a_time = building().await;
    let mut run = build(&package, port);
    run.args(command.split(' ').skip(1)).arg("--offline");
    let _program = Program::start(&mut run, address).await;
    drop(one_at_a_time); // the next cleans the clone

    let mut page = Request::get("/").send(address).await;
    page.read_until(|bytes| bytes.windows(11).any(|part| part == b"EventSource")).await;
    for curl in ["curl -N", "curl --no-buffer --include"] {
        let curl = format!("{curl} http://127.0.0.1:{port}/events");
        Shell::run(&curl, &[]).until("event: time");
    }
    let mut stream = Request::get("/events").send(address).await;
    let seen = stream.events(2).await;
    assert_eq!(seen[0].event_type, "time");
    let back = Request::get("/events").header("Last-Event-ID", &seen[0].last_event_id);
    assert_eq!(back.send(address).await.next_event().await, seen[1]);
    // An id that means nothing gives nobody the history.
    let mut lost = Request::get("/events?lastEventId=x").send(address).await;
    let given = lost.events(2).await;
    assert_eq!(given[0].event_type, "reset");
    assert!(!seen.contains(&given[1]), "it begins with the next event: {given:?}");
}

/// Builds the package in the clone, which nobody else may touch until it runs; there it listens on this port, and returns the cargo to run it with.
fn build(package: &str, port: u16) -> Command {
    let clone = clone();
    let main = clone.join("examples").join(package).join("src/main.rs");
    let source = read(&main);
    assert_eq!(source.matches("3000").count(), 1, "{package} has one address");
    std::fs::write(&main, source.replace("3000", &port.to_string())).expect("there is room");
    succeed(cargo(&clone).args(["build", "--offline", "--locked", "-p", package]));
    cargo(&clone)
}

/// A clone, in which what has not changed since the last time keeps its age, so that cargo need not build it again.
fn clone() -> PathBuf {
    let clone = kept().join("clone");
    let repository = repository();
    if !clone.join(".git").exists() {
        succeed(Command::new("git").args(["clone", "--quiet"]).arg(&repository).arg(&clone));
    }
    let git = |arguments: &[&str], folder: &Path| {
        succeed(Command::new("git").args(arguments).current_dir(folder));
    };
    git(&["fetch", "--quiet", "origin"], &clone);
    git(&["reset", "--quiet", "--hard", "origin/main"], &clone);
    clone
}
