//! A real Prometheus asks the recipe for its counts, and is asked each expression of the dashboard.

mod server;

use std::collections::BTreeMap;
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::Value;
use sse_test_kit::program::Program;
use sse_test_kit::wire::{Request, Response};

use server::{PATIENCE, Prometheus, now};

const DASHBOARD: &str = include_str!("../../dashboard.json");
async fn start(folder: &tempfile::TempDir) -> Program {
    let mut command = Command::new(env!("CARGO_BIN_EXE_metrics-recipe"));
    command.arg(folder.path().join("orders.redb")).env("LISTEN", "127.0.0.1:0");
    Program::run(command).await
}

async fn order(program: &Program, count: usize) {
    for _ in 0..count {
        let answer = Request::post("/regions/north/orders", "a chair").send(program.address).await;
        assert_eq!(answer.status, 204);
    }
}

async fn open(program: &Program) -> Response {
    Request::get("/regions/north/events").send(program.address).await
}

async fn text(program: &Program, path: &str) -> String {
    let url = format!("http://{}{path}", program.address);
    reqwest::get(url).await.expect("it answers").text().await.expect("a text")
}

/// Waits until a page of the program has this in it.
async fn until(program: &Program, path: &str, what: &str) {
    let begun = Instant::now();
    while !text(program, path).await.contains(what) {
        assert!(begun.elapsed() < PATIENCE, "{what} is in {}", text(program, path).await);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_expression_of_the_dashboard_gives_the_number_that_is_known() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let program = start(&folder).await;
    let prometheus = Prometheus::start(&program).await;
    prometheus.has_asked_since(0.0).await; // all counts are 0

    // Six orders. Ada gets four that she missed and two as they come; Grace gets six and leaves; Linus gets a `reset` and
    // six, because nobody knows his id; a script gets six.
    order(&program, 4).await;
    let mut ada = open(&program).await;
    ada.events(4).await;
    until(&program, "/debug/streams", "<td>live<td>0").await;
    order(&program, 2).await;
    ada.events(2).await;
    let mut grace = open(&program).await;
    grace.events(6).await;
    grace.leave_fin();
    until(&program, "/metrics", "sse_streams_ended_total{log=\"orders\",reason=\"left\"} 1").await;
    let unknown = Request::get("/regions/north/events").header("Last-Event-ID", "nonsense");
    let mut linus = unknown.send(program.address).await;
    assert_eq!(linus.events(7).await[0].event_type, "reset");
    let mut script = Request::get("/regions/north/events?poll").send(program.address).await;
    script.events(6).await;
    script.end().await;
    until(&program, "/metrics", "sse_streams_ended_total{log=\"orders\",reason=\"polled\"} 1")
        .await;
    let counts = Counts(text(&program, "/metrics").await);
    prometheus.has_asked_since(now()).await;

    // Over exactly the time between two scrapes nothing is extrapolated.
    let (first, last) = prometheus.scrapes().await;
    let (seconds, time) = (last - first, format!("{last:.3}"));
    let window = format!("{}ms", (seconds * 1000.0).round());
    let bytes = counts.get("sse_delivered_bytes_total{log=\"orders\"}");
    assert!(bytes > 25.0 * 15.0, "25 events with their ids: {bytes}");
    let is_one_of = |names: &[&str], of: &[(&str, f64)]| -> BTreeMap<String, f64> {
        let of: BTreeMap<_, _> = of.iter().copied().collect();
        let value = |name: &&str| (name.to_string(), of.get(name).copied().unwrap_or_default());
        names.iter().map(value).collect()
    };
    let reasons = [
        "failed",
        "finished",
        "full",
        "gap",
        "left",
        "lifetime",
        "limited-log",
        "limited-principal",
        "limited-process",
        "limited-topic",
        "polled",
        "shutdown",
    ];
    let gaps = ["ahead-of-head", "other-epoch", "too-old", "unknown"];
    let one = |value: f64| is_one_of(&[""], &[("", value)]);
    let expected = |title: &str| match title {
        "Open streams" => one(2.0),
        "Follower runs" => one(1.0),
        "Store fails" => is_one_of(&["append", "follow", "read", "retain"], &[]),
        "Streams opened" => one(4.0 / seconds),
        "Streams ended, by reason" => {
            is_one_of(&reasons, &[("left", 1.0 / seconds), ("polled", 1.0 / seconds)])
        }
        "Gaps, by reason" => is_one_of(&gaps, &[("unknown", 1.0 / seconds)]),
        "Events delivered" => one(25.0 / seconds),
        "Bytes delivered" => one(bytes / seconds),
        "Replayed part of the events" => one(23.0 / 25.0),
        "Streams behind the tail" => one(0.0),
        "Events appended" => one(6.0 / seconds),
        "Bytes appended" => one(6.0 * 14.0 / seconds), // "data: a chair\n"
        "Append latency, mean" => {
            let sum = counts.get("sse_append_duration_seconds_sum{log=\"orders\"}");
            one(sum / 6.0)
        }
        "Append latency, 99th percentile" => one(counts.quantile(0.99)),
        other => panic!("the number of the panel {other:?} is not known"),
    };
    let dashboard: Value = serde_json::from_str(DASHBOARD).expect("JSON");
    let panels = dashboard["panels"].as_array().expect("panels");
    assert_eq!(panels.len(), 14);
    for panel in panels {
        let title = panel["title"].as_str().expect("a title");
        for target in panel["targets"].as_array().expect("targets") {
            let expression = target["expr"].as_str().expect("an expression");
            let asked = expression.replace("$log", "orders").replace("$__rate_interval", &window);
            let (values, expected) = (prometheus.values(&asked, &time).await, expected(title));
            let is_near = values.len() == expected.len()
                && values.iter().zip(&expected).all(|((a, value), (b, known))| {
                    a == b && (value - known).abs() <= 1e-6 * known.abs()
                });
            assert!(is_near, "{title}: {asked} over {seconds} s is {values:?}, not {expected:?}");
        }
    }
    let variables = dashboard["templating"]["list"].as_array().expect("variables");
    let log = variables.iter().find(|variable| variable["name"] == "log").expect("it has one");
    assert_eq!(log["query"]["query"], "label_values(sse_streams_open, log)");
    let logs = prometheus.ask("label/log/values", &[("match[]", "sse_streams_open")]).await;
    assert_eq!(logs, serde_json::json!(["orders"]));
    drop((ada, linus));
}

/// The alerts of `docs/metrics.md`: none is due, but for the gap.
#[tokio::test(flavor = "multi_thread")]
async fn the_alerts_of_the_docs_can_be_asked() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let program = start(&folder).await;
    let prometheus = Prometheus::start(&program).await;
    prometheus.has_asked_since(0.0).await;
    let unknown = Request::get("/regions/north/events").header("Last-Event-ID", "nonsense");
    let mut client = unknown.send(program.address).await;
    client.next_event().await;
    prometheus.has_asked_since(now()).await;
    let page = include_str!("../../../../docs/metrics.md");
    let (_, alerts) = page.split_once("| alert | expression |\n|---|---|\n").expect("a table");
    let rows = alerts.lines().map_while(|line| line.strip_prefix("| ")?.strip_suffix("` |"));
    let mut due = Vec::new();
    for (name, expression) in rows.filter_map(|row| row.split_once(" | `")) {
        let values = prometheus.values(expression, &now().to_string()).await;
        due.push((name, values.into_keys().collect::<Vec<_>>()));
    }
    let none = Vec::<String>::new();
    let expected = [
        ("clients get nothing new", none.clone()),
        ("appends fail", none),
        ("clients lose events", vec!["unknown".to_owned()]),
    ];
    assert_eq!(due, expected);
}

/// The text that Prometheus gets.
struct Counts(String);

impl Counts {
    fn get(&self, name: &str) -> f64 {
        let mut lines = self.0.lines();
        let line = lines.find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        line.unwrap_or_else(|| panic!("{name} is in {}", self.0)).parse().expect("a number")
    }

    /// Returns a quantile of the append latency, as Prometheus estimates it: within a bucket all values are equally likely.
    fn quantile(&self, quantile: f64) -> f64 {
        const BUCKET: &str = "sse_append_duration_seconds_bucket{log=\"orders\",le=\"";
        let buckets =
            self.0.lines().filter_map(|line| line.strip_prefix(BUCKET)?.split_once("\"} "));
        let buckets: Vec<(f64, f64)> = buckets
            .map(|(bound, count)| {
                (bound.parse().expect("a bound"), count.parse().expect("a count"))
            })
            .collect();
        let (_, all) = buckets.last().expect("there are buckets");
        let (mut lower, mut below) = (0.0, 0.0);
        for (bound, count) in &buckets {
            if *count >= quantile * all {
                let within = (quantile * all - below) / (count - below);
                return if bound.is_finite() { lower + (bound - lower) * within } else { lower };
            }
            (lower, below) = (*bound, *count);
        }
        lower
    }
}
