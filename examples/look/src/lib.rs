//! The shared part of the recipes' pages: one stylesheet, one line that says what state a connection is in, and the address of a recipe.
//!
//! It knows no framework, and there is no build step: style and script are put into the page where it says so.
//!
//! ```
//! let page = look::page("<!doctype html><title>Prices</title><!-- look -->");
//! assert!(page.contains("<style>"));
//! ```
#![forbid(unsafe_code)]

const STYLE: &str = include_str!("../look.css");
const SCRIPT: &str = include_str!("../look.js");

/// The place in a page for what all pages share.
const PLACE: &str = "<!-- look -->";

/// Returns this page with the stylesheet, the script and an empty icon in place of `<!-- look -->`, which belongs into its head.
///
/// # Panics
///
/// If the page has no `<!-- look -->`.
pub fn page(html: &str) -> String {
    assert!(html.contains(PLACE), "a page says where its look belongs: {PLACE}");
    html.replacen(PLACE, &format!("<link rel=\"icon\" href=\"data:,\">\n<style>\n{STYLE}</style>\n<script>\n{SCRIPT}</script>"), 1)
}

/// Returns the address that a recipe listens on: `LISTEN`, or else 127.0.0.1:3000. With port 0 the system chooses a port.
pub fn address() -> String {
    std::env::var("LISTEN").unwrap_or_else(|_| "127.0.0.1:3000".into())
}
