//! Links lead somewhere, and what is named is there.

use std::path::{Path, PathBuf};

use crate::blocks::{pages, read, root, words};

#[test]
fn every_link_within_the_repository_leads_somewhere() {
    let mut broken = Vec::new();
    for page in pages() {
        let text = words(&read(&page));
        for link in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            if link.contains("://") {
                continue;
            }
            let (file, anchor) = link.split_once('#').unwrap_or((link, ""));
            let folder = page.parent().expect("a page is in a folder");
            let target = if file.is_empty() { page.clone() } else { folder.join(file) };
            let leads = target.exists()
                && (anchor.is_empty() || anchors(&target).contains(&anchor.to_owned()));
            if !leads {
                broken.push(format!("{}: {link}", page.display()));
            }
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

/// Returns the anchors of the headings of a page.
fn anchors(page: &Path) -> Vec<String> {
    let text = words(&read(page));
    let headings = text.lines().filter(|line| line.starts_with('#'));
    let letters = headings.map(|line| line.trim_start_matches('#').trim().to_lowercase());
    let kept = letters.map(|heading| {
        heading.chars().filter(|c| c.is_alphanumeric() || " -_".contains(*c)).collect::<String>()
    });
    kept.map(|heading| heading.replace(' ', "-")).collect()
}

#[test]
fn every_file_of_the_core_is_in_the_architecture() {
    let page = read(&root().join("docs/architecture.md"));
    let folder = root().join("crates/sse-core/src");
    let mut missing = Vec::new();
    for file in sources_in(&folder) {
        let name = file.strip_prefix(&folder).expect("it is in the folder").with_extension("");
        let name = name.display().to_string();
        if name != "lib" && !name.ends_with("tests") && !page.contains(&format!("`{name}`")) {
            missing.push(name);
        }
    }
    assert!(missing.is_empty(), "docs/architecture.md does not name {missing:?}");
}

#[test]
fn every_test_that_a_page_names_exists() {
    let mut sources = String::new();
    for folder in ["tests", "crates", "examples"] {
        for file in sources_in(&root().join(folder)) {
            sources += &read(&file);
        }
    }
    let mut unknown = Vec::new();
    for page in pages() {
        let text = words(&read(&page));
        for name in text.split('`').skip(1).step_by(2).filter(|span| is_sentence(span)) {
            // The names of what is counted look like those of tests.
            let is_count = name.starts_with("sse_") && sources.contains(&format!("\"{name}\""));
            if !is_count && !sources.contains(&format!("fn {name}(")) {
                unknown.push(format!("{}: {name}", page.display()));
            }
        }
    }
    assert!(unknown.is_empty(), "{}", unknown.join("\n"));
}

/// The name of a test: at least four words.
fn is_sentence(span: &str) -> bool {
    let plain =
        span.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_');
    plain && span.matches('_').count() >= 3
}

/// Every file of Rust in this folder.
fn sources_in(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).expect("the folder is there") {
        let path = entry.expect("it can be read").path();
        if path.is_dir() && path.file_name().is_none_or(|name| name != "node_modules") {
            files.extend(sources_in(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files
}
