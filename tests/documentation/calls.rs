//! The calls that docs/architecture.md names on the way of an event are in the code.

use crate::blocks::root;

const PAGE: &str = include_str!("../../docs/architecture.md");

/// A name in backticks is `file: item`, a file, or an item of the file before it.
#[test]
fn each_call_on_the_way_of_an_event_is_in_the_code() {
    let way = PAGE.split("\n## ").find(|section| section.starts_with("The way of an event\n"));
    let mut calls = 0;
    for path in way.expect("the page has it").split("\n**(").skip(1) {
        let names: Vec<_> = path.split('`').skip(1).step_by(2).collect();
        let stores = names.iter().filter(|name| name.starts_with("sse-log-"));
        let crates: Vec<_> = stores.chain(&["sse-core"]).collect();
        let source = |file: &str| -> String {
            let paths = crates.iter().map(|name| format!("crates/{name}/src/{file}.rs"));
            paths.filter_map(|path| std::fs::read_to_string(root().join(path)).ok()).collect()
        };
        let mut current = String::new();
        for name in &names {
            let (file, item) = name.split_once(": ").unwrap_or((name, ""));
            let found = source(file);
            let item = match (found.is_empty(), item.is_empty()) {
                (true, true) => *name,
                (true, false) => panic!("`{name}`: there is no such file"),
                (false, _) => {
                    current = found;
                    item
                }
            };
            // Neither is a file alone, a script, a crate, nor what the application writes.
            if item.split("::").all(is_identifier) {
                let is_there = item.split("::").all(|part| defines(&current, part));
                assert!(is_there, "`{name}`: the file has no such item");
                calls += 1;
            }
        }
    }
    assert!(calls > 60, "{calls} calls");
}

fn is_identifier(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_alphanumeric() || c == '_')
}

/// Returns true if the source has a function or a type of this name.
fn defines(source: &str, name: &str) -> bool {
    let defined = ["fn ", "struct ", "enum "].iter().flat_map(|kind| source.split(kind).skip(1));
    let mut names =
        defined.filter_map(|rest| rest.split(|c: char| !(c.is_alphanumeric() || c == '_')).next());
    names.any(|defined| defined == name)
}
