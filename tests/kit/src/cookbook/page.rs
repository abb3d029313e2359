//! The checks of every page.

use std::path::Path;

use serde_json::json;

use crate::browser::Chromium;

/// Runs axe-core, and returns a line for each element that it finds fault with.
const FINDINGS: &str = "axe.run().then(({ violations }) => violations.flatMap(({ id, nodes }) => \
    nodes.map(({ html, failureSummary }) => `${id}: ${html}: ${failureSummary}`)))";

/// The script of axe-core, which `tests/run` installs.
fn axe() -> String {
    let clients = Path::new(env!("CARGO_MANIFEST_DIR")).join("../clients");
    let script = clients.join("node_modules/axe-core/axe.min.js");
    std::fs::read_to_string(script).expect("axe-core is installed by tests/run")
}

/// Holds the page that is open to this: on a phone nothing is wider than the screen, in light and dark; whatever can be used has a name, and
/// the keyboard reaches it; axe-core finds nothing. With `SSE_PICTURES=1` it is photographed, for the README in this folder.
///
/// # Panics
///
/// If it is not so.
pub async fn is_fit_to_be_seen(chromium: &Chromium, folder: &str) {
    chromium.execute(&axe(), json!([])).await;
    for scheme in ["dark", "light"] {
        chromium.is_seen(360, 740, scheme).await;
        assert_eq!(chromium.value(FINDINGS).await, json!([]), "what axe-core finds, {scheme}");
        let beyond = chromium.value("document.documentElement.scrollWidth - innerWidth").await;
        assert!(beyond.as_i64() <= Some(0), "{beyond} px are wider than a phone");
    }
    let unnamed = "return [...document.querySelectorAll('button, input, select, textarea, a[href]')]
        .filter((it) => it.tabIndex < 0 || !(it.ariaLabel || it.labels?.length || it.textContent.trim()))
        .map((it) => it.outerHTML)";
    let unnamed = chromium.execute(unnamed, json!([])).await;
    assert_eq!(unnamed, json!([]), "whatever can be used has a name and is reached by keyboard");
    chromium.is_seen(900, 300, "light").await;
    let height = chromium.value("Math.min(document.documentElement.scrollHeight, 700)").await;
    let height = height.as_u64().and_then(|height| height.try_into().ok());
    chromium.is_seen(900, height.expect("a page has a height"), "light").await;
    if std::env::var_os("SSE_PICTURES").is_some() {
        chromium.photograph(&Path::new(folder).join("page.png")).await;
    }
}
