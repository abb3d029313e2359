//! Every command of the README, the docs and the examples is run by a test, or stands here with the reason why it is not.

use std::collections::BTreeSet;

use sse_conformance::adapters;

use crate::blocks::{blocks, pages, read, root, words};

/// The fate of a command.
enum Told {
    /// This test, in this file, runs it.
    RunBy(&'static str, &'static str),
    /// No test does, for this reason.
    NotRun(&'static str),
}
use Told::{NotRun, RunBy};

const GETTING_STARTED: Told =
    RunBy("tests/documentation/getting_started.rs", "is_built_by_path_and_resumes");

const HELLOS: Told = RunBy("tests/documentation/hellos.rs", "runs_from_a_fresh_clone");

const FLEET: Told =
    RunBy("examples/fleet/tests/kill_either.rs", "nobody_notices_which_process_is_killed");

/// The file of the tests of `examples/tail`.
const TAIL: &str = "examples/tail/tests/lines_become_events.rs";

const ITSELF: Told = NotRun("it runs the tests, this one among them");

const METRICS: Told = RunBy(
    "examples/metrics/tests/prometheus/main.rs",
    "each_expression_of_the_dashboard_gives_the_number_that_is_known",
);

const COMMANDS: [(&str, Told); 49] = [
    ("cargo run -p metrics-recipe", METRICS),
    (
        "prometheus --config.file=examples/metrics/prometheus.yml --storage.tsdb.path=/tmp/prometheus",
        METRICS,
    ),
    ("cargo run --release -p sse-bench -- peers", NotRun("it measures, for an hour")),
    ("cargo run --release -p sse-bench -- peers --only single", NotRun("it measures, for minutes")),
    ("cargo run --release -p sse-bench -- peers --quick", NotRun("it measures, for minutes")),
    ("cargo run --release -p sse-bench -- herd", NotRun("it draws a picture of the docs")),
    ("cargo publish --workspace --dry-run", NotRun("it asks crates.io")),
    ("cargo publish --workspace", NotRun("a person publishes")),
    ("cargo owner --add NAME CRATE", NotRun("a person publishes")),
    ("cargo yank --version 0.1.0 sse-core", NotRun("a person publishes")),
    (
        "cargo run --release -p sse-bench -- store --store redis:redis://127.0.0.1/",
        NotRun("it measures, for minutes"),
    ),
    (
        "cargo run -p look-inside -- redb:events.redb prices list",
        RunBy("examples/look-inside/tests/log.rs", "it_lists_reads_and_trims_a_log"),
    ),
    (
        "cargo run -p look-inside -- serve redis:redis://127.0.0.1/",
        RunBy(
            "examples/look-inside/tests/page.rs",
            "a_page_shows_what_comes_as_text_and_appends_by_hand",
        ),
    ),
    (
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=localhost -keyout key.pem -out certificate.pem",
        RunBy("tests/kit/src/certificate.rs", "make"),
    ),
    ("cargo run -p hello-axum", HELLOS),
    ("curl -N http://127.0.0.1:3000/events", HELLOS),
    (
        "tail -F /var/log/dpkg.log | cargo run -p tail",
        RunBy(TAIL, "each_line_of_the_standard_input_is_an_event"),
    ),
    ("cargo run -p tail -- FILE", RunBy(TAIL, "each_line_appended_to_a_file_is_an_event")),
    ("echo hello >> FILE", RunBy(TAIL, "each_line_appended_to_a_file_is_an_event")),
    ("curl --no-buffer --include http://127.0.0.1:3000/events", HELLOS),
    (
        "curl --silent --no-buffer --include --http2 https://example.org/events",
        RunBy("tests/proxies/streams.rs", "speaks_http_2"),
    ),
    (
        "curl --data tea http://127.0.0.1:3000/orders",
        RunBy("examples/outbox/tests/both_or_neither.rs", "order"),
    ),
    (
        "curl -N http://127.0.0.1:3000/v1/chat/completions -H 'Content-Type: application/json' \
         -H 'Idempotency-Key: 0123456789abcdef' -d '{\"stream\": true, \"messages\": [{\"role\": \"user\", \"content\": \"Hello\"}]}'",
        RunBy("examples/tokens/tests/over_http.rs", "the_readmes_curl_prints_an_answer"),
    ),
    (
        "curl 'http://127.0.0.1:3000/rooms/lobby/events?poll'",
        RunBy("examples/chat/tests/in_chromium.rs", "nobody_is_typing"),
    ),
    ("mkdir -p /tmp/fleet && redis-server --appendonly yes --dir /tmp/fleet", FLEET),
    ("nginx -e stderr -c \"$PWD/examples/fleet/nginx.conf\"", FLEET),
    ("curl --data hello \"http://127.0.0.1:3000/say?key=1\"", FLEET),
    ("cargo run -p NAME", NotRun("each recipe's own README says what NAME is")),
    ("git clone URL sse", RunBy("tests/documentation/hellos.rs", "clone")),
    ("cargo new my-events", GETTING_STARTED),
    ("cd my-events", GETTING_STARTED),
    ("cargo run", GETTING_STARTED),
    ("curl --no-buffer http://127.0.0.1:3000/events", GETTING_STARTED),
    (
        "ID=$(curl --silent --data hello http://127.0.0.1:3000/events); echo \"$ID\"",
        GETTING_STARTED,
    ),
    ("curl --data hello http://127.0.0.1:3000/events", GETTING_STARTED),
    ("sudo ss --kill dport = :3000", NotRun("it needs the rights of root")),
    ("git clone URL sse && cd sse", RunBy("tests/documentation/hellos.rs", "clone")),
    ("curl --data \"and more\" http://127.0.0.1:3000/events", GETTING_STARTED),
    (
        "curl --no-buffer --header \"Last-Event-ID: $ID\" http://127.0.0.1:3000/events",
        GETTING_STARTED,
    ),
    (
        "cargo run -p sse-conformance --bin serve -- --framework axum --listen 127.0.0.1:0",
        RunBy("tests/requirements/process.rs", "start"),
    ),
    (
        "cargo run -p sse-conformance --bin encode",
        RunBy("tests/requirements/encode_program.rs", "writes_what_goes_out_for_an_event"),
    ),
    ("tests/run", ITSELF),
    ("tests/run --quick", NotRun("a part of what runs this test")),
    ("tests/run --no-run", NotRun("it installs packages")),
    ("cargo doc --open -p sse-log-redis", NotRun("it opens a browser")),
    ("cargo doc --open -p sse-axum", NotRun("it opens a browser")),
    ("tests/run --test requirements rocket", ITSELF),
    (".ci/run", ITSELF),
    ("cargo test", ITSELF),
];

/// The beginnings of commands that stand among the words.
const PROGRAMS: [&str; 7] = ["cargo ", "curl ", "echo ", "tail ", "tests/run", ".ci/run", "git "];

/// The commands of a page: those in blocks for a shell, without what is said about them, and those among the words.
fn commands(page: &str) -> Vec<String> {
    let mut commands = Vec::new();
    for block in blocks(page)
        .into_iter()
        .filter(|block| ["sh", "bash", "console"].contains(&block.language.as_str()))
    {
        let text = block.text.replace("\\\n", " ");
        commands
            .extend(text.lines().map(|line| line.split(" # ").next().unwrap_or(line).to_owned()));
    }
    let words = words(page);
    let spans = words.split('`').skip(1).step_by(2);
    let begins = |span: &&str| PROGRAMS.iter().any(|program| span.starts_with(program));
    commands.extend(spans.filter(begins).map(str::to_owned));
    let tidy =
        commands.iter().map(|command| command.split_whitespace().collect::<Vec<_>>().join(" "));
    tidy.filter(|command| !command.is_empty() && !command.starts_with('#')).collect()
}

#[test]
fn every_command_is_run_by_a_test_or_it_is_said_why_not() {
    let mut unknown = Vec::new();
    let mut left: BTreeSet<_> = COMMANDS.iter().map(|(command, _)| *command).collect();
    for page in pages() {
        for command in commands(&read(&page)) {
            left.remove(command.as_str());
            let known = COMMANDS.iter().any(|(known, _)| *known == command);
            if !known && !is_a_hello(&command) && !is_a_recipe(&command) {
                unknown.push(format!("{}: {command}", page.display()));
            }
        }
    }
    let unknown = unknown.join("\n");
    assert!(
        unknown.is_empty(),
        "name the tests that run these in COMMANDS, or say why not:\n{unknown}"
    );
    assert!(left.is_empty(), "on no page any more: {left:?}");
}

/// The hello-world of a framework: `hellos.rs` runs that of each.
fn is_a_hello(command: &str) -> bool {
    command
        .strip_prefix("cargo run -p hello-")
        .is_some_and(|framework| adapters::named(framework).is_ok())
}

/// `cargo run -p NAME`, if the tests of that example run just that program; maybe after what it finds in its environment. And
/// `cargo test -p NAME`, which runs these tests.
fn is_a_recipe(command: &str) -> bool {
    let words = command.split(' ').skip_while(|word| word.contains('='));
    let command = words.collect::<Vec<_>>().join(" ");
    if command.starts_with("cargo test -p ") {
        return true;
    }
    let Some(name) = command.strip_prefix("cargo run -p ") else { return false };
    let Ok(tests) = std::fs::read_dir(root().join("examples").join(name).join("tests")) else {
        return false;
    };
    let program = format!("CARGO_BIN_EXE_{name}");
    let mut files = tests.map(|entry| entry.expect("it can be read").path());
    files.any(|file| file.is_file() && read(&file).contains(&program))
}

#[test]
fn the_tests_that_run_commands_exist() {
    for (command, told) in COMMANDS {
        match told {
            RunBy(file, test) => {
                let source = read(&root().join(file));
                let is_there = source.contains(&format!("fn {test}("));
                assert!(is_there, "{command}: {file} has no {test}");
            }
            NotRun(reason) => assert!(!reason.is_empty(), "{command}"),
        }
    }
}
