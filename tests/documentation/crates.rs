//! What is read first of a crate.

use std::path::PathBuf;

use crate::blocks::{blocks, read, root};

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
        let source = read(&library);
        let docs = source.lines().map_while(|line| line.strip_prefix("//!"));
        let docs: Vec<_> = docs.map(|line| line.strip_prefix(' ').unwrap_or(line)).collect();
        let blocks = blocks(&docs.join("\n"));
        let example = blocks.first().filter(|block| block.heading.is_empty());
        let example = example.unwrap_or_else(|| panic!("{} begins without one", library.display()));
        assert!(example.text.contains("assert"), "{}: it shows no result", library.display());
    }
}
