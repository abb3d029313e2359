//! What users of other libraries guess leads to the item that they want: rustdoc's search finds it by its name or by an alias.

use std::path::Path;

use crate::blocks::root;

/// Words that a user tried who knew only the README, and the item that does what was meant. The first twenty are from the 24 calls that did
/// not compile and of which the compiler led nowhere; the other four were `append(json!(..))`, `append(Event::json(..))`, which is `json` and
/// a `?`, `Feed::new`, which is in the list, and `Sse::new`. The rest are from searches in rustdoc.
const GUESSES: [(&str, &str); 33] = [
    ("publish", "pub async fn append("),
    ("send", "pub async fn append("),
    ("push", "pub async fn append("),
    ("subscribe", "pub fn feed("),
    ("stream", "pub fn feed("),
    ("iter", "pub async fn read_after("),
    ("len", "pub fn stats("),
    ("subscribers", "pub fn stats("),
    ("close", "pub async fn finish("),
    ("append_json", "pub fn json<"),
    ("filter", "pub fn topics<"),
    ("map", "pub fn topics<"),
    ("header", "pub struct Sse("),
    ("headers", "pub struct Sse("),
    ("from_start", "Oldest,"),
    ("last", "Last(usize)"),
    ("Latest", "Live,"),
    ("text", "pub fn new(data:"),
    ("data", "pub fn new(data:"),
    ("id", "pub fn id(self,"),
    ("json", "pub fn json<"),
    ("new", "pub fn from_stream<"),
    ("new", "pub fn stream_events("),
    ("new", "pub fn in_memory("),
    ("heartbeat", "pub fn keep_alive("),
    ("ping", "pub fn keep_alive("),
    ("keepalive", "pub fn keep_alive("),
    ("clients", "pub fn stats("),
    ("connected", "pub fn stats("),
    ("history", "pub fn start_at("),
    ("broadcast", "pub async fn append("),
    ("channel", "pub fn topics<"),
    ("event_name", "pub fn typed("),
];

#[test]
fn each_word_that_users_guess_leads_to_the_item_that_they_want() {
    let mut source = String::new();
    for folder in ["sse-core", "sse-axum"] {
        read(&root().join("crates").join(folder).join("src"), &mut source);
    }
    let missing: Vec<_> =
        GUESSES.iter().filter(|(word, item)| !leads(&source, word, item)).collect();
    assert!(missing.is_empty(), "neither a name nor an alias: {missing:?}");
}

/// Returns true if an item that begins so has this name, or this alias among its attributes.
fn leads(source: &str, word: &str, item: &str) -> bool {
    let mut aliases = String::new();
    for line in source.lines().map(str::trim_start) {
        if line.starts_with("#[doc(alias") {
            aliases += line;
        } else if !line.starts_with("#[") && !line.is_empty() {
            let is_named =
                item.split(' ').any(|part| part.split(['(', '<', ',']).next() == Some(word));
            let is_alias = aliases.contains(&format!("\"{word}\""));
            if line.starts_with(item) && (is_named || is_alias) {
                return true;
            }
            aliases.clear();
        }
    }
    false
}

fn read(folder: &Path, source: &mut String) {
    for entry in std::fs::read_dir(folder).expect("a crate has sources") {
        let path = entry.expect("it can be listed").path();
        if path.is_dir() {
            read(&path, source);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            *source += &std::fs::read_to_string(&path).expect("it can be read");
        }
    }
}
