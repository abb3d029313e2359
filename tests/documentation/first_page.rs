//! The README is short, says what is so, and needs no network; and prose has lines that a terminal and a diff can show.

use crate::blocks::{blocks, pages, read, root};

/// Limits of the README.
const LINES: usize = 110;
const WORDS: usize = 750;
/// The most characters of a line of prose.
const LINE: usize = 120;

#[test]
fn the_readme_is_read_in_a_minute() {
    let readme = read(&root().join("README.md"));
    let (lines, words) = (readme.lines().count(), readme.split_whitespace().count());
    assert!(lines <= LINES && words <= WORDS, "{lines} lines, {words} words");
}

#[test]
fn the_first_block_of_the_readme_installs_nothing() {
    let readme = read(&root().join("README.md"));
    let block = blocks(&readme).into_iter().find(|block| block.language == "sh");
    let commands = block.expect("it has a block to copy").text;
    assert_eq!(commands, "git clone URL sse && cd sse\ncargo run -p hello-axum\n");
}

#[test]
fn the_badges_are_files_and_say_what_the_manifest_says() {
    let readme = read(&root().join("README.md"));
    let manifest = read(&root().join("Cargo.toml"));
    let value = |key: &str| {
        let line = manifest.lines().find_map(|line| line.strip_prefix(key));
        line.and_then(|line| line.split('"').nth(1)).expect("the manifest says so").to_owned()
    };
    for image in readme.split("![").skip(1) {
        let file = image.split("](").nth(1).and_then(|rest| rest.split(')').next());
        assert!(!file.expect("an image has a file").contains("://"), "no picture from elsewhere");
    }
    let badge = |name: &str| read(&root().join("docs/badges").join(name));
    let rust = format!(">{} or newer<", value("rust-version"));
    assert!(badge("rust.svg").contains(&rust), "the badge does not say {rust}");
    let licence = format!(">{}<", value("license").replace(" OR ", " or "));
    assert!(badge("licence.svg").contains(&licence), "the badge does not say {licence}");
}

#[test]
fn no_line_of_prose_is_longer_than_a_terminal_shows() {
    let mut long = Vec::new();
    for page in pages() {
        for (number, line) in prose(&read(&page)) {
            let shown = without_addresses(line);
            // A line of one piece, such as a long command, cannot be broken.
            if shown.chars().count() > LINE && pieces(&shown) > 1 {
                long.push(format!("{}:{number}", page.display()));
            }
        }
    }
    assert!(long.is_empty(), "more than {LINE} characters:\n{}", long.join("\n"));
}

/// Returns the lines, with their numbers, that are neither in a block or a comment nor in a table.
fn prose(page: &str) -> impl Iterator<Item = (usize, &str)> {
    let (mut is_block, mut is_comment) = (false, false);
    page.lines().enumerate().filter_map(move |(at, line)| {
        let text = line.trim_start();
        let is_fence = text.starts_with("```");
        is_block ^= is_fence;
        is_comment |= text.starts_with("<!--");
        let is_prose = !is_block && !is_fence && !is_comment && !text.starts_with('|');
        is_comment &= !line.ends_with("-->");
        is_prose.then_some((at + 1, line))
    })
}

/// Leaves out the targets of links.
fn without_addresses(line: &str) -> String {
    let mut parts = line.split("](");
    let mut shown = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        shown += part.split_once(')').map_or("", |(_, rest)| rest);
    }
    shown
}

/// Counts the words of a line; a text in backticks is part of one.
fn pieces(line: &str) -> usize {
    let parts = line.split('`').enumerate();
    let closed: String = parts
        .map(|(at, part)| if at % 2 == 0 { part } else { "code" })
        .collect::<Vec<_>>()
        .join("");
    closed.trim_start_matches(['-', ' ']).split_whitespace().count()
}

#[test]
fn prose_is_found_between_blocks_tables_and_comments() {
    let page = "a\n```sh\nb\n```\n| c |\n<!-- around:\nd\n-->\n[e](f) g\n<!-- h -->\ni";
    let found: Vec<_> = prose(page).map(|(at, line)| (at, without_addresses(line))).collect();
    let expected = [(1, "a"), (9, "[e g"), (11, "i")];
    assert_eq!(found, expected.map(|(at, line)| (at, line.to_owned())));
    assert_eq!(pieces("- `a b`"), 1);
    assert_eq!(pieces("see `a b`."), 2);
}
