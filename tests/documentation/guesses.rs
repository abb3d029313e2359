//! What users of other libraries guess is the name of an item, or finds one in rustdoc's search.

use std::path::Path;

use crate::blocks::root;

/// Words that a user tried who knew only the README. The first twenty are from the 24 calls that did not compile and of which the compiler
/// led nowhere; the other four calls were `Sse::new`, `Feed::new`, and `append` with other arguments. The rest are from searches in rustdoc.
const GUESSES: [&str; 28] = [
    "publish",
    "send",
    "push",
    "subscribe",
    "stream",
    "iter",
    "len",
    "subscribers",
    "close",
    "append_json",
    "filter",
    "map",
    "header",
    "headers",
    "from_start",
    "last",
    "Latest",
    "text",
    "data",
    "id",
    "heartbeat",
    "ping",
    "clients",
    "connected",
    "history",
    "broadcast",
    "channel",
    "keepalive",
];

#[test]
fn each_word_that_users_guess_is_a_name_or_an_alias() {
    let mut source = String::new();
    for folder in ["sse-core", "sse-axum"] {
        read(&root().join("crates").join(folder).join("src"), &mut source);
    }
    let is_alias = |line: &&str| line.trim_start().starts_with("#[doc(alias");
    let aliases: String = source.lines().filter(is_alias).collect();
    let is_found = |word: &&&str| {
        let names =
            [format!("pub fn {word}("), format!("pub async fn {word}("), format!("pub {word}: ")];
        aliases.contains(&format!("\"{word}\"")) || names.iter().any(|name| source.contains(name))
    };
    let missing: Vec<_> = GUESSES.iter().filter(|word| !is_found(word)).collect();
    assert!(missing.is_empty(), "neither a name nor an alias: {missing:?}");
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
