//! Everything in the repository that is written for people: comments, paragraphs, messages.

use std::path::Path;

use crate::blocks::read;

mod source;

/// Begins a part of a page that shows phrases on purpose.
pub(super) const OFF: &str = "<!-- language: off -->";
/// Ends it.
const ON: &str = "<!-- language: on -->";

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Kind {
    /// A comment, or a paragraph of a page.
    Block,
    /// A heading, or a row of a table: its first word is not counted.
    Row,
    /// A string literal outside of tests.
    Message,
    /// The name of a function that is a sentence, with spaces.
    Name,
}

#[derive(Debug)]
pub(super) struct Text {
    pub(super) file: String,
    pub(super) kind: Kind,
    /// The lines with their numbers, without the marks of a comment.
    pub(super) lines: Vec<(usize, String)>,
}

impl Text {
    pub(super) fn of_lines(lines: &[&str]) -> Self {
        let lines = lines.iter().enumerate().map(|(at, line)| (at + 1, (*line).to_owned()));
        Self { file: String::new(), kind: Kind::Block, lines: lines.collect() }
    }

    pub(super) fn first_word(&self) -> &str {
        let line = self.lines.first().map_or("", |(_, line)| line.as_str());
        let line = line.trim_start_matches(|c: char| !c.is_alphanumeric());
        line.split(|c: char| !c.is_alphanumeric()).next().unwrap_or_default()
    }

    pub(super) fn at(&self, line: usize) -> String {
        format!("{}:{line}", self.file)
    }

    pub(super) fn beginning(&self) -> String {
        let (number, line) = &self.lines[0];
        format!("{}: {line}", self.at(*number))
    }
}

/// Returns the texts of a file, or of all files in a folder.
pub(super) fn under(root: &Path, name: &str) -> Vec<Text> {
    let path = root.join(name);
    if path.is_dir() {
        let entries = std::fs::read_dir(&path).expect("the folder can be read");
        let names = entries.map(|entry| entry.expect("it can be read").file_name());
        let mut names: Vec<_> = names.map(|name| name.to_string_lossy().into_owned()).collect();
        // `language` is this folder, whose tests show the phrases.
        let skipped = ["target", "node_modules", "vendor", "language"];
        names.retain(|name| !skipped.contains(&name.as_str()));
        names.sort();
        return names.iter().flat_map(|inner| under(root, &format!("{name}/{inner}"))).collect();
    }
    match path.extension().and_then(|extension| extension.to_str()) {
        Some("rs") => source::rust(name, &read(&path)),
        Some("md") => page(name, &read(&path)),
        Some("sql" | "lua") => source::other(name, &read(&path), "--"),
        Some("js" | "mjs" | "html") => source::other(name, &read(&path), "//"),
        Some("toml" | "py" | "sh") => source::other(name, &read(&path), "#"),
        _ => Vec::new(),
    }
}

/// Paragraphs, items of lists, rows of tables, and the comments of blocks in Rust.
fn page(file: &str, page: &str) -> Vec<Text> {
    let (mut texts, mut code, mut is_shown) = (Vec::<Text>::new(), None, true);
    let mut is_paragraph_open = false;
    for (number, line) in page.lines().enumerate().map(|(at, line)| (at + 1, line)) {
        let trimmed = line.trim();
        match trimmed {
            OFF => is_shown = false,
            ON => is_shown = true,
            _ => {}
        }
        if trimmed.starts_with("<!-- around") {
            is_shown = false; // code that a test needs, up to the end of the comment
        }
        let was_shown = is_shown;
        if trimmed == "-->" {
            is_shown = true;
        }
        if !was_shown || trimmed.starts_with("<!--") {
            continue;
        }
        if let Some(language) = trimmed.strip_prefix("```") {
            is_paragraph_open = false;
            code = match code.take() {
                None => Some((language.starts_with("rust"), number, String::new())),
                Some((true, start, text)) => {
                    let comments = source::rust(file, &text).into_iter();
                    texts.extend(comments.filter(|text| text.kind == Kind::Block).map(
                        |mut text| {
                            text.lines.iter_mut().for_each(|(number, _)| *number += start);
                            text
                        },
                    ));
                    None
                }
                Some(_) => None,
            };
            continue;
        }
        if let Some((_, _, text)) = &mut code {
            *text += &format!("{line}\n");
            continue;
        }
        if trimmed.is_empty() {
            is_paragraph_open = false;
            continue;
        }
        let kind = match trimmed.starts_with(['#', '|']) {
            true => Kind::Row,
            false => Kind::Block,
        };
        let is_item =
            trimmed.starts_with("- ") || trimmed.starts_with(|c: char| c.is_ascii_digit());
        let begins = kind == Kind::Row || is_item || !is_paragraph_open;
        is_paragraph_open = kind == Kind::Block;
        match texts.last_mut() {
            Some(text) if !begins => text.lines.push((number, trimmed.to_owned())),
            _ => {
                let lines = vec![(number, trimmed.to_owned())];
                texts.push(Text { file: file.to_owned(), kind, lines });
            }
        }
    }
    texts
}

#[test]
fn a_page_has_paragraphs_items_rows_and_comments() {
    let text =
        "# A\n\none\ntwo\n\n- three\n- four\n\n| five |\n\n```rust\n// six\nlet x = 7;\n```\n";
    let texts = page("p", &format!("{text}{OFF}\nanew\n{ON}\n\neight\n"));
    let found: Vec<_> = texts.iter().map(|text| (text.kind, text.beginning())).collect();
    let expected = [
        (Kind::Row, "p:1: # A"),
        (Kind::Block, "p:3: one"),
        (Kind::Block, "p:6: - three"),
        (Kind::Block, "p:7: - four"),
        (Kind::Row, "p:9: | five |"),
        (Kind::Block, "p:12: six"),
        (Kind::Block, "p:19: eight"),
    ];
    assert_eq!(found, expected.map(|(kind, text)| (kind, text.to_owned())));
    assert_eq!(texts[1].lines.len(), 2);
}
