//! A Prometheus of the test's own.

use std::collections::BTreeMap;
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::Value;
use sse_test_kit::program::Program;
use sse_test_kit::server::Server;

/// The most time that a scrape and its query take on a busy machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// A Prometheus of this test, which asks one program each second.
pub(crate) struct Prometheus(Server);

impl Prometheus {
    pub(crate) async fn start(target: &Program) -> Self {
        let server = Server::to_be_started();
        let config = include_str!("../../prometheus.yml");
        assert!(config.contains("127.0.0.1:3000") && config.contains("15s"));
        let config = config.replace("127.0.0.1:3000", &target.address.to_string());
        let file = server.folder().join("prometheus.yml");
        std::fs::write(&file, config.replace("15s", "1s")).expect("a file in a folder of our own");
        let command = || {
            let mut command = Command::new("prometheus");
            command.arg(format!("--config.file={}", file.display()));
            let data = server.folder().join("data");
            command.arg(format!("--storage.tsdb.path={}", data.display()));
            command.arg(format!("--web.listen-address={}", server.address()));
            command
        };
        let ready = format!("http://{}/-/ready", server.address());
        let is_ready = || async {
            reqwest::get(&ready).await.is_ok_and(|answer| answer.status().is_success())
        };
        server.start(command, is_ready).await;
        Self(server)
    }

    pub(crate) async fn ask(&self, path: &str, parameters: &[(&str, &str)]) -> Value {
        let url = format!("http://{}/api/v1/{path}", self.0.address());
        let request = reqwest::Client::new().get(url).query(parameters);
        let answer = request.send().await.expect("it answers").text().await.expect("a text");
        let answer: Value = serde_json::from_str(&answer).expect("JSON");
        assert_eq!(answer["status"], "success", "{parameters:?}: {answer}");
        answer["data"].clone()
    }

    /// Returns the values of an expression at a time, each by the labels that it has besides the log's.
    pub(crate) async fn values(&self, expression: &str, time: &str) -> BTreeMap<String, f64> {
        let data = self.ask("query", &[("query", expression), ("time", time)]).await;
        let results = data["result"].as_array().expect("a vector").iter();
        let value = |result: &Value| {
            let labels = result["metric"].as_object().expect("labels").iter();
            let labels = labels.filter(|(name, _)| *name == "reason" || *name == "task");
            let labels: Vec<_> = labels.filter_map(|(_, value)| value.as_str()).collect();
            (labels.join(" "), number(&result["value"][1]))
        };
        results.map(value).collect()
    }

    /// Returns the times of the first and the last scrape.
    pub(crate) async fn scrapes(&self) -> (f64, f64) {
        let data = self.ask("query", &[("query", "sse_streams_open[1h]")]).await;
        let values = data["result"][0]["values"].as_array().cloned().unwrap_or_default();
        let time = |value: Option<&Value>| value.and_then(|value| value[0].as_f64());
        (time(values.first()).unwrap_or_default(), time(values.last()).unwrap_or_default())
    }

    /// Waits until it has asked again since this moment.
    pub(crate) async fn has_asked_since(&self, moment: f64) {
        let begun = Instant::now();
        while self.scrapes().await.1 <= moment {
            assert!(begun.elapsed() < PATIENCE, "Prometheus asks each second");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

fn number(text: &Value) -> f64 {
    text.as_str().expect("a number as text").parse().expect("a number")
}

pub(crate) fn now() -> f64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    now.expect("after 1970").as_secs_f64()
}
