//! The comments and messages of a source.

use super::{Kind, Text};

/// A part of a Rust source.
#[derive(Clone, Copy, PartialEq)]
enum Part {
    Code,
    Comment,
    Literal,
}

/// Returns the comments of a Rust source, its string literals outside of tests, and the names of its functions that are sentences.
pub(super) fn rust(file: &str, source: &str) -> Vec<Text> {
    let is_test = file.contains("/tests/") || file.ends_with("/tests.rs");
    let tests = source.find("#[cfg(test)]\nmod tests {").unwrap_or(source.len());
    let (mut texts, mut rest, mut line) = (Vec::new(), source, 1);
    let (mut marker, mut is_fenced, mut previous) = ("", false, "");
    while !rest.is_empty() {
        let (part, length) = part(rest);
        let text = &rest[..length];
        match part {
            Part::Comment => {
                let begun = ["///", "//!", "//"].into_iter().find(|begun| text.starts_with(begun));
                let begun = begun.expect("a comment begins with two slashes");
                let words = text[begun.len()..].trim();
                let is_new = marker != begun;
                marker = begun;
                is_fenced = (is_fenced && !is_new) ^ words.starts_with("```");
                if is_new {
                    texts.push(Text {
                        file: file.to_owned(),
                        kind: Kind::Block,
                        lines: Vec::new(),
                    });
                }
                if !is_fenced && !words.starts_with("```") {
                    let block = texts.iter_mut().rev().find(|text| text.kind == Kind::Block);
                    block.expect("pushed above").lines.push((line, words.to_owned()));
                }
            }
            Part::Literal => {
                marker = "";
                if !is_test && source.len() - rest.len() < tests {
                    let lines = text.replace("\\n", " ");
                    let lines = lines.lines().enumerate();
                    let lines = lines.map(|(at, text)| (line + at, text.to_owned())).collect();
                    texts.push(Text { file: file.to_owned(), kind: Kind::Message, lines });
                }
            }
            Part::Code if !text.trim().is_empty() || text.matches('\n').count() > 1 => {
                marker = "";
                if previous == "fn" && text.matches('_').count() >= 3 {
                    let lines = vec![(line, text.replace('_', " "))];
                    texts.push(Text { file: file.to_owned(), kind: Kind::Name, lines });
                }
                previous = if text.trim().is_empty() { previous } else { text };
            }
            Part::Code => {}
        }
        line += text.matches('\n').count();
        rest = &rest[length..];
    }
    texts.retain(|text| !text.lines.is_empty());
    texts
}

/// Returns the kind and the length of the part with which this text begins.
fn part(rest: &str) -> (Part, usize) {
    let is_name = |c: char| c.is_alphanumeric() || c == '_';
    let first = rest.chars().next().expect("it is not empty");
    let until = |end: &str, from: usize| rest[from..].find(end).map_or(rest.len(), |at| from + at);
    if rest.starts_with("//") {
        return (Part::Comment, until("\n", 2));
    }
    if rest.starts_with("/*") {
        return (Part::Code, (until("*/", 2) + 2).min(rest.len()));
    }
    if first == '"' {
        let mut chars = rest.char_indices().skip(1);
        while let Some((at, c)) = chars.next() {
            match c {
                '\\' => drop(chars.next()),
                '"' => return (Part::Literal, at + 1),
                _ => {}
            }
        }
        return (Part::Literal, rest.len());
    }
    if first == '\'' {
        let mut after = rest.chars().skip(1);
        let is_char = match (after.next(), after.next()) {
            (Some('\\'), _) => return (Part::Code, until("'", 3) + 1),
            (_, last) => last == Some('\''),
        };
        let length =
            if is_char { rest.char_indices().nth(2).map_or(1, |(at, _)| at + 1) } else { 1 };
        return (Part::Code, length);
    }
    if is_name(first) {
        let length = rest.find(|c| !is_name(c)).unwrap_or(rest.len());
        let hashes = rest[length..].chars().take_while(|c| *c == '#').count();
        let is_raw = matches!(&rest[..length], "r" | "br" | "cr");
        if is_raw && rest[length + hashes..].starts_with('"') {
            let end = format!("\"{}", "#".repeat(hashes));
            let end = until(&end, length + hashes + 1) + end.len();
            return (Part::Literal, end.min(rest.len()));
        }
        return (Part::Code, length);
    }
    if first.is_whitespace() {
        return (Part::Code, rest.find(|c: char| !c.is_whitespace()).unwrap_or(rest.len()));
    }
    (Part::Code, first.len_utf8())
}

/// Returns the comments of a source in another language, one for each run of lines.
pub(super) fn other(file: &str, source: &str, marker: &str) -> Vec<Text> {
    let mut texts = Vec::<Text>::new();
    for (number, line) in source.lines().enumerate().map(|(at, line)| (at + 1, line.trim())) {
        let own = line.strip_prefix(marker).or_else(|| line.strip_prefix("<!--"));
        let behind = line.split_once(&format!(" {marker} ")).map(|(_, words)| words);
        let Some(words) = own.or(behind).map(str::trim) else { continue };
        let follows = |text: &Text| text.lines.last().is_some_and(|(last, _)| last + 1 == number);
        match texts.last_mut() {
            Some(text) if own.is_some() && follows(text) => {
                text.lines.push((number, words.to_owned()));
            }
            _ => {
                let lines = vec![(number, words.to_owned())];
                texts.push(Text { file: file.to_owned(), kind: Kind::Block, lines });
            }
        }
    }
    texts
}

#[test]
fn a_source_has_comments_and_messages() {
    let source = "//! one\n//! two\n\n/// three\n/// ```\n/// code\n/// ```\n// four\nlet x = '\"'; // five\n\
        fn a_b_c_d() { let y = \"six // six\"; } let z: &'a str = r#\"seven \" seven\"#;\n#[cfg(test)]\nmod tests {\n// eight\n\"nine\"";
    let texts = rust("f", source);
    let found: Vec<_> = texts.iter().map(|text| (text.kind, text.beginning())).collect();
    let expected = [
        (Kind::Block, "f:1: one"),
        (Kind::Block, "f:4: three"),
        (Kind::Block, "f:8: four"),
        (Kind::Block, "f:9: five"),
        (Kind::Name, "f:10: a b c d"),
        (Kind::Message, "f:10: \"six // six\""),
        (Kind::Message, "f:10: r#\"seven \" seven\"#"),
        (Kind::Block, "f:13: eight"),
    ];
    assert_eq!(found, expected.map(|(kind, text)| (kind, text.to_owned())));
    assert_eq!(texts[0].lines.len(), 2);
    assert_eq!(texts[1].lines.len(), 1);
}

#[test]
fn a_script_has_comments() {
    let texts = other("f", "-- one\n-- two\nSELECT 1 -- three\n", "--");
    let found: Vec<_> = texts.iter().map(Text::beginning).collect();
    assert_eq!(found, ["f:1: one", "f:3: three"]);
}
