//! Chromium, by the few commands of the WebDriver standard that the tests need.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;

use super::driver::Driver;
use crate::wire::Request;

/// No screen, no user, and nothing of the network but the test.
const FLAGS: [&str; 9] = [
    "--headless",
    "--no-sandbox", // containers run as root, and Chromium's sandbox refuses root
    "--disable-gpu",
    "--disable-dev-shm-usage", // containers have 64 MB there
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
];

/// The most time that a command may take: the machine may be busy, and a page large.
const IN_TIME: Duration = Duration::from_secs(60);

/// A Chromium of its own: a background tab of a shared one would have its timers throttled.
///
/// Dropping it ends it, and removes its folder.
#[derive(Debug)]
pub struct Chromium {
    /// The address of ChromeDriver.
    driver: SocketAddr,
    /// The path of the session.
    session: String,
    // In the order in which they must go.
    _driver: Driver,
    _home: TempDir,
}

impl Chromium {
    /// Starts one with an empty profile.
    ///
    /// # Panics
    ///
    /// Where Chromium or ChromeDriver is missing: the message names the package.
    pub async fn start() -> Self {
        Self::start_with(&[]).await
    }

    /// Starts one that trusts every certificate.
    ///
    /// # Panics
    ///
    /// As [`start`](Self::start).
    pub async fn trusting_any_certificate() -> Self {
        Self::start_with(&["--ignore-certificate-errors"]).await
    }

    async fn start_with(more: &[&str]) -> Self {
        let home = tempfile::tempdir().expect("there is room for a profile");
        let driver = Driver::start(home.path()).await;
        let mut chromium = Self {
            driver: (Ipv4Addr::LOCALHOST, driver.port()).into(),
            session: "/session".to_owned(),
            _driver: driver,
            _home: home,
        };
        let profile = chromium._home.path().join("profile");
        let mut flags: Vec<_> = FLAGS.iter().chain(more).map(ToString::to_string).collect();
        flags.push(format!("--user-data-dir={}", profile.display()));
        let options = json!({ "browserName": "chrome", "goog:chromeOptions": { "args": flags } });
        let wanted = json!({ "capabilities": { "alwaysMatch": options } });
        let session = chromium.command("", wanted).await;
        let id = session["sessionId"].as_str().expect("a session has an id");
        chromium.session += &format!("/{id}");
        chromium
    }

    /// Goes to `url` and waits until it has loaded.
    ///
    /// # Panics
    ///
    /// If it cannot.
    pub async fn open(&self, url: &str) {
        self.command("/url", json!({ "url": url })).await;
    }

    /// Runs `script` in the page: the body of a function that finds `arguments` in an array of that
    /// name.
    ///
    /// # Panics
    ///
    /// If the script throws, or the browser is gone.
    pub async fn execute(&self, script: &str, arguments: Value) -> Value {
        let call = json!({ "script": script, "args": arguments });
        self.command("/execute/sync", call).await
    }

    /// Sends one command and returns its `value`.
    pub(super) async fn command(&self, name: &str, body: Value) -> Value {
        let request = Request::post(&format!("{}{name}", self.session), body.to_string());
        let request = request.header("Content-Type", "application/json").patience(IN_TIME);
        let mut response = request.send(self.driver).await;
        response.end_within(IN_TIME).await;
        let mut answer: Value =
            serde_json::from_slice(response.bytes()).expect("ChromeDriver answers in JSON");
        let value = answer["value"].take();
        let reason = value["message"].as_str().unwrap_or_default();
        assert_eq!(
            response.status, 200,
            "Chromium: {reason}; tests/run installs it (Debian: chromium)"
        );
        value
    }
}
