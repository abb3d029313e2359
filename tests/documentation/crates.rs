//! The pages of a crate that are read first.

use std::path::{Path, PathBuf};

use crate::blocks::{blocks, read, root};

/// The name of each store in prose, and its crate.
const STORES: [(&str, &str); 4] = [
    ("redb", "sse-log-redb"),
    ("Redis", "sse-log-redis"),
    ("NATS", "sse-log-nats"),
    ("Postgres", "sse-log-postgres"),
];
/// The files of every store. Its engine may need others.
const FILES: [&str; 12] = [
    "lib", "options", "store", "names", "append", "read", "bounds", "follow", "retain", "control",
    "error", "topics",
];
/// The adapters' crates.
const ADAPTERS: [&str; 5] = ["sse-http", "sse-axum", "sse-actix", "sse-warp", "sse-rocket"];
/// The most lines that a file may have: `docs/style.md`.
const LONGEST: usize = 250;

/// The libraries that users have.
fn libraries() -> Vec<PathBuf> {
    let crates = std::fs::read_dir(root().join("crates")).expect("the folder is there");
    let crates = crates.map(|entry| entry.expect("it can be read").path());
    let shared = ["hello", "look"].map(|name| root().join("examples").join(name));
    crates.chain(shared).map(|path| path.join("src/lib.rs")).collect()
}

#[test]
fn each_crate_opens_with_a_whole_example() {
    for library in libraries() {
        let blocks = blocks(&page(&library));
        let example = blocks.first().filter(|block| block.heading.is_empty());
        let example = example.unwrap_or_else(|| panic!("{} begins without one", library.display()));
        assert!(example.text.contains("assert"), "{}: it shows no result", library.display());
    }
}

#[test]
fn every_adapter_re_exports_the_same_items_of_the_core() {
    let lists = ADAPTERS.map(|adapter| {
        let source = read(&root().join("crates").join(adapter).join("src/lib.rs"));
        assert!(!source.contains("sse_core::*"), "{adapter}: a glob takes over names unseen");
        // The items of the feature `listener` are in lists of their own.
        let mut lists = source.split("\npub use sse_core::{\n").skip(1);
        let list = lists.next().and_then(|rest| rest.split("};").next());
        let list = list.unwrap_or_else(|| panic!("{adapter}: it has no list"));
        list.split_whitespace().map(str::to_owned).collect::<Vec<_>>()
    });
    for (adapter, list) in ADAPTERS.iter().zip(&lists) {
        assert_eq!(*list, lists[0], "{adapter}, beside {}", ADAPTERS[0]);
    }
}

#[test]
fn the_same_thing_is_in_the_file_of_the_same_name_in_every_store() {
    for (_, store) in STORES {
        for file in FILES {
            let path = root().join("crates").join(store).join("src").join(file);
            let path = path.with_extension("rs");
            assert!(path.is_file(), "{} is missing", path.display());
        }
    }
}

#[test]
fn the_first_pages_of_the_stores_have_the_same_sections() {
    for (engine, store) in STORES {
        let promises = format!("What {engine} promises");
        let mut expected = vec!["What is kept, and where", &promises];
        expected.extend(["What happens when (November 2026)", "Limits", "Costs"]);
        // A file is reached by no connection.
        expected.extend((engine != "redb").then_some("TLS"));
        let page = page(&root().join("crates").join(store).join("src/lib.rs"));
        // Sections that one engine alone needs may stand between these.
        let mut sections = sections(&page);
        sections.retain(|section| expected.contains(section));
        assert_eq!(sections, expected, "{store}");
    }
}

#[test]
fn no_file_of_a_store_is_longer_than_a_reader_holds() {
    let mut count = 0;
    for (_, store) in STORES {
        each_file(&root().join("crates").join(store), &mut |file| {
            let extension = file.extension().and_then(|extension| extension.to_str());
            if matches!(extension, Some("rs" | "sql" | "lua")) {
                let lines = read(file).lines().count();
                assert!(lines <= LONGEST, "{} has {lines} lines", file.display());
                count += 1;
            }
        });
    }
    assert!(count > STORES.len() * FILES.len(), "{count} files were found");
}

/// Returns the front page of a library.
fn page(library: &Path) -> String {
    let source = read(library);
    let docs = source.lines().map_while(|line| line.strip_prefix("//!"));
    let docs: Vec<_> = docs.map(|line| line.strip_prefix(' ').unwrap_or(line)).collect();
    docs.join("\n")
}

/// Its headings of the first level.
fn sections(page: &str) -> Vec<&str> {
    let parts = page.split("```").step_by(2); // what is between two fences is code
    parts.flat_map(str::lines).filter_map(|line| line.strip_prefix("# ")).collect()
}

fn each_file(folder: &Path, look: &mut impl FnMut(&Path)) {
    for entry in std::fs::read_dir(folder).expect("the folder is there") {
        let path = entry.expect("it can be read").path();
        if path.is_dir() {
            each_file(&path, look);
        } else {
            look(&path);
        }
    }
}
