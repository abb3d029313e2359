//! `docs/getting-started.md`, done as it says, in empty folders.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;

use sse_test_kit::port::free_port;
use sse_test_kit::wire::{End, Request};

use crate::blocks::{Block, blocks, root};
use crate::checkout::{building, cargo, repository, succeed, target};
use crate::program::{Program, Shell};

const PAGE: &str = include_str!("../../docs/getting-started.md");

/// One test for each framework and way to depend on this repository.
macro_rules! frameworks {
    ($($name:ident = $heading:literal)*) => { $(
        mod $name {
            #[tokio::test]
            async fn is_built_by_path_and_resumes() {
                super::is_built_and_resumes($heading, super::by_path).await;
            }

            #[tokio::test]
            #[ignore = "a minute: .ci/run runs it"]
            async fn is_built_by_git_and_resumes() {
                super::is_built_and_resumes($heading, super::by_git).await;
            }
        }
    )* };
}

frameworks! { axum = "axum" actix = "actix-web" warp = "warp" rocket = "Rocket" }

/// The block of a framework that begins so.
fn block(heading: &str, language: &str) -> String {
    let is_wanted =
        |block: &Block| block.heading == heading && block.language.starts_with(language);
    let block = blocks(PAGE).into_iter().find(is_wanted);
    block.unwrap_or_else(|| panic!("{heading} has no {language}")).text
}

/// The one command of the page that begins so, for this port.
fn command(beginning: &str, port: u16) -> String {
    let sh = blocks(PAGE).into_iter().filter(|block| block.language == "sh");
    let lines: Vec<_> =
        sh.flat_map(|block| block.text.lines().map(str::to_owned).collect::<Vec<_>>()).collect();
    let mut lines = lines.iter().filter(|line| line.starts_with(beginning));
    let command = lines.next().unwrap_or_else(|| panic!("the page has no `{beginning}`"));
    command.replace("127.0.0.1:3000", &format!("127.0.0.1:{port}"))
}

/// The dependencies with the path of this repository.
fn by_path(dependencies: &str) -> String {
    assert!(dependencies.contains("\"../sse/"), "there is a path in {dependencies}");
    dependencies.replace("../sse/", &format!("{}/", root().display()))
}

/// The dependencies with the repository in place of the path, as the page says.
fn by_git(dependencies: &str) -> String {
    assert!(PAGE.contains(r#"`sse-axum = { git = "URL" }`"#), "the page says how");
    let git = format!("git = \"file://{}\"", repository().display());
    let lines = dependencies.lines().map(|line| match line.split_once("path = ") {
        Some((name, _)) => format!("{name}{git} }}"),
        None => line.to_owned(),
    });
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn the_readme_has_the_same_program() {
    let readme = include_str!("../../README.md");
    assert!(readme.contains(&block("axum", "rust")));
    assert!(readme.contains("curl --no-buffer http://127.0.0.1:3000/events"));
}

async fn is_built_and_resumes(heading: &str, depend: fn(&str) -> String) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let port = free_port();
    let one_at_a_time = building().await;
    let program = build(folder.path(), heading, port, depend);
    drop(one_at_a_time);
    let address = SocketAddr::from(([127, 0, 0, 1], port));
    let _program = Program::start(&mut Command::new(program), address).await;

    let mut page = Request::get("/").send(address).await;
    assert_eq!(page.status, 200);
    assert_eq!(page.end().await, End::Clean);
    assert!(String::from_utf8_lossy(page.bytes()).contains("new EventSource(\"/events\")"));

    // The page's own commands.
    let waiting = Shell::run(&command("curl --no-buffer http", port), &[]);
    waiting.until(": ok");
    let id = Shell::run(&command("ID=$(curl --silent --data hello", port), &[]).line();
    waiting.until("data: hello");
    waiting.until(&format!("id: {id}"));
    Shell::run(&command("curl --data \"and more\"", port), &[]).line();
    waiting.until("data: and more");

    let back = Shell::run(&command("curl --no-buffer --header", port), &[("ID", &id)]);
    back.until(": ok");
    let line = std::iter::repeat_with(|| back.line()).find(|line| line.starts_with("data"));
    assert_eq!(line.as_deref(), Some("data: and more"), "what came after the id, and nothing else");
}

/// Does what the page says, and returns the program.
fn build(
    folder: &Path,
    heading: &str,
    port: u16,
    depend: fn(&str) -> String,
) -> std::path::PathBuf {
    let new = command("cargo new ", port);
    let new: Vec<_> = new.split(' ').skip(1).collect();
    succeed(cargo(folder).args(&new).args(["--vcs", "none"]));
    let project = folder.join("my-events");

    let dependencies = depend(&block(heading, "toml"));
    let manifest = project.join("Cargo.toml");
    let made = std::fs::read_to_string(&manifest).expect("cargo has written it");
    let made = made.replace("[dependencies]\n", &dependencies);
    std::fs::write(manifest, made).expect("there is room");
    let source = block(heading, "rust");
    assert_eq!(source.matches("3000").count(), 1, "one address in the program for {heading}");
    let source = source.replace("3000", &port.to_string());
    std::fs::write(project.join("src/main.rs"), source).expect("there is room");
    // The versions that everything else is tested with, which are here already. By git cargo asks the repository itself, if no other.
    std::fs::copy(root().join("Cargo.lock"), project.join("Cargo.lock")).expect("it is there");
    let mut build = cargo(&project);
    if !dependencies.contains("git = ") {
        build.arg("--offline");
    }
    succeed(build.arg("build"));

    let program = folder.join("program");
    std::fs::copy(target().join("debug/my-events"), &program).expect("cargo has built it");
    program
}
