//! The functions of Chromium that only the tests of pages need.

use std::path::Path;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::Chromium;
use crate::eventually::holds_within;

/// The most time that a page may take: the machine may be busy, and a browser waits seconds before it comes back.
const IN_TIME: Duration = Duration::from_secs(20);

impl Chromium {
    /// Waits until this expression is true in the page.
    ///
    /// # Panics
    ///
    /// If it is not within 20 s: the message has the text of the page.
    pub async fn until(&self, expression: &str) {
        let script = format!("return Boolean({expression})");
        let is_so = async || self.execute(&script, json!([])).await == json!(true);
        if !holds_within(IN_TIME, is_so).await {
            let text = self.execute("return document.body.innerText", json!([])).await;
            let text = text.as_str().unwrap_or_default();
            panic!("in vain until {expression}, on the page:\n{text}");
        }
    }

    /// Returns the value of this expression in the page.
    pub async fn value(&self, expression: &str) -> Value {
        self.execute(&format!("return {expression}"), json!([])).await
    }

    /// Returns the text of each element of this selector.
    pub async fn texts(&self, selector: &str) -> Vec<String> {
        let script =
            "return [...document.querySelectorAll(arguments[0])].map((it) => it.textContent)";
        let texts = self.execute(script, json!([selector])).await;
        serde_json::from_value(texts).expect("texts are texts")
    }

    /// Presses these keys, one after the other, in the element that has the focus: `\u{e004}` is Tab, `\u{e007}` Enter.
    pub async fn press(&self, keys: &str) {
        let strokes = keys.chars().flat_map(|key| {
            [json!({ "type": "keyDown", "value": key }), json!({ "type": "keyUp", "value": key })]
        });
        let strokes: Vec<Value> = strokes.collect();
        let keyboard = json!({ "type": "key", "id": "keyboard", "actions": strokes });
        self.command("/actions", json!({ "actions": [keyboard] })).await;
    }

    /// A window of this size, in CSS pixels, for a user who prefers this colour scheme: `light` or `dark`.
    pub async fn is_seen(&self, width: u32, height: u32, scheme: &str) {
        let metrics =
            json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": false });
        self.devtools("Emulation.setDeviceMetricsOverride", metrics).await;
        let scheme = json!({ "name": "prefers-color-scheme", "value": scheme });
        self.devtools("Emulation.setEmulatedMedia", json!({ "features": [scheme] })).await;
    }

    /// Opens this in a tab of its own, and goes there.
    pub async fn open_tab(&self, url: &str) {
        let tab = self.command("/window/new", json!({ "type": "tab" })).await;
        self.go_to_tab(tab["handle"].as_str().expect("a tab has a handle")).await;
        self.open(url).await;
    }

    /// The handle of the tab that is in front.
    ///
    /// # Panics
    ///
    /// If the browser is gone.
    pub async fn tab(&self) -> String {
        let info = self.devtools("Target.getTargetInfo", json!({})).await;
        info["targetInfo"]["targetId"].as_str().expect("a tab has a handle").to_owned()
    }

    /// Brings this tab to the front.
    pub async fn go_to_tab(&self, handle: &str) {
        self.command("/window", json!({ "handle": handle })).await;
    }

    /// Writes what is to be seen of the page to this file, as PNG.
    ///
    /// # Panics
    ///
    /// If it cannot, or where that is 100 kB or more.
    pub async fn photograph(&self, file: &Path) {
        let picture = self.devtools("Page.captureScreenshot", json!({ "format": "png" })).await;
        let picture = picture["data"].as_str().expect("a picture");
        let picture = STANDARD.decode(picture).expect("it is in base64");
        assert!(picture.len() < 100_000, "{} bytes are too many for a README", picture.len());
        std::fs::write(file, picture).expect("the folder is there");
    }

    async fn devtools(&self, method: &str, parameters: Value) -> Value {
        self.command("/goog/cdp/execute", json!({ "cmd": method, "params": parameters })).await
    }
}
