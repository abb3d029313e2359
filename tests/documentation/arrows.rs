//! In the core each file uses those alone that stand above it in the table of docs/architecture.md.

use std::collections::HashMap;

use crate::blocks::root;
use crate::core_sources::{core_sources, without_tests};

const PAGE: &str = include_str!("../../docs/architecture.md");
/// Files of tests, in which all is allowed.
const TESTS: &str = "log/work";

/// The files by their names, without `.rs`; and in which row of the table each stands.
fn rows() -> HashMap<String, usize> {
    let rows = PAGE.lines().filter(|line| line.starts_with("| `")).enumerate();
    let names = |(row, line): (usize, &str)| {
        let first = line.split('|').nth(1).unwrap_or_default().to_owned();
        let names: Vec<_> = first.split('`').skip(1).step_by(2).map(str::to_owned).collect();
        names.into_iter().map(move |name| (name, row))
    };
    rows.flat_map(names).collect()
}

/// The paths that a file uses: `a::{b, c::d}` is `a::b` and `a::c::d`.
fn used(source: &str) -> Vec<String> {
    let code = without_tests(source);
    let mut paths = Vec::new();
    for after in code.split("\nuse crate::").skip(1).chain(code.split("\npub use crate::").skip(1))
    {
        expand("", after.split(';').next().unwrap_or_default(), &mut paths);
    }
    paths
}

fn expand(before: &str, path: &str, paths: &mut Vec<String>) {
    let path = path.trim();
    let Some((head, braced)) = path.split_once('{') else {
        if !path.is_empty() {
            paths.push(format!("{before}{path}"));
        }
        return;
    };
    let (mut depth, mut from) = (0, 0);
    let inner = braced.strip_suffix('}').unwrap_or(braced);
    for (at, byte) in inner.bytes().chain([b',']).enumerate() {
        match byte {
            b'{' => depth += 1,
            b'}' => depth -= 1,
            b',' if depth == 0 => {
                expand(&format!("{before}{head}"), &inner[from..at], paths);
                from = at + 1;
            }
            _ => {}
        }
    }
}

/// The file that a path leads to: the longest beginning that is one; or the one from which the root has this name.
fn target(path: &str, files: &HashMap<String, String>, root: &str) -> Option<String> {
    let parts: Vec<_> = path.split("::").collect();
    let own = (1..=parts.len()).rev().map(|count| parts[..count].join("/"));
    own.into_iter().find(|name| files.contains_key(name)).or_else(|| {
        let exported = |line: &&str| {
            let (_, names) = line.split_once("::").unwrap_or_default();
            names.split(|c: char| !c.is_alphanumeric()).any(|name| name == parts[0])
        };
        let exports = root.split("pub use ").skip(1);
        exports
            .filter_map(|line| line.split(';').next())
            .find(exported)?
            .split("::")
            .next()
            .map(Into::into)
    })
}

#[test]
fn each_file_of_the_core_uses_those_above_it_alone() {
    let (rows, files) = (rows(), core_sources());
    let lib = std::fs::read_to_string(root().join("crates/sse-core/src/lib.rs")).expect("a text");
    let mut arrows = 0;
    for (file, source) in &files {
        if file.starts_with(TESTS) {
            continue;
        }
        let row = rows.get(file).unwrap_or_else(|| panic!("{file} is not in the table"));
        for path in used(source) {
            let Some(target) = target(&path, &files, &lib) else { continue };
            let Some(above) = rows.get(&target) else { continue };
            assert!(above <= row, "{file} uses {path}, of {target}, which stands below it");
            arrows += usize::from(*file != target);
        }
    }
    assert!(arrows > 200, "{arrows} arrows");
}
