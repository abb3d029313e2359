//! The texts are in plain English: the rules of `docs/style.md`, as far as a program can check them.

mod phrases;
mod texts;

use std::collections::BTreeMap;

use crate::blocks::{read, root};
use phrases::Phrase;
use texts::{Kind, Text};

/// Folders with comments, pages and messages that people read. Each has a share of openers of its own.
const FOLDERS: [&str; 7] =
    ["README.md", "CHANGELOG.md", "docs", "crates", "examples", "fuzz", "tests"];
/// First words of a text that hide its actor or its verb.
const OPENERS: [&str; 16] = [
    "What", "Whatever", "Whether", "How", "Where", "Wherever", "Which", "Who", "Whoever", "Whom",
    "Whose", "Why", "Of", "By", "As", "Among",
];
/// Share of the texts of a folder that may begin with an opener, in percent.
const MOST_OPENERS: usize = 3;
/// Times that a listed phrase may occur in all texts.
const MOST_USES: usize = 5;

fn all() -> impl Iterator<Item = Text> {
    FOLDERS.into_iter().flat_map(|folder| texts::under(&root(), folder))
}

/// Reads the phrases to avoid from the second column of the table in the page on style.
fn listed() -> Vec<Phrase> {
    let page = read(&root().join("docs/style.md"));
    let table = page.split(texts::OFF).nth(1).expect("the page marks its table");
    let rows = table.lines().filter_map(|row| row.split('|').nth(2));
    let spans = rows.flat_map(|cell| cell.split('`').skip(1).step_by(2));
    spans.map(Phrase::new).collect()
}

#[test]
fn few_comments_and_paragraphs_open_with_a_word_that_hides_the_actor() {
    let mut failed = Vec::new();
    for folder in FOLDERS {
        let texts = texts::under(&root(), folder);
        let texts: Vec<_> = texts.into_iter().filter(|text| text.kind == Kind::Block).collect();
        let opens = |text: &&Text| OPENERS.contains(&text.first_word());
        let found: Vec<_> = texts.iter().filter(opens).map(Text::beginning).collect();
        assert!(!texts.is_empty(), "{folder} has no texts");
        if found.len() * 100 > texts.len() * MOST_OPENERS {
            failed.push(format!("{folder}, {} of {} texts:", found.len(), texts.len()));
            failed.extend(found);
        }
    }
    assert!(failed.is_empty(), "more than {MOST_OPENERS} % open so:\n{}", failed.join("\n"));
}

#[test]
fn listed_phrases_are_rare_in_texts_and_in_names() {
    let (listed, mut found) = (listed(), BTreeMap::<_, Vec<_>>::new());
    assert!(listed.len() > 20, "the table of docs/style.md lists {} phrases", listed.len());
    for text in all().filter(|text| text.kind != Kind::Message) {
        for phrase in &listed {
            let places = phrase.lines_in(&text).into_iter().map(|line| text.at(line));
            found.entry(&phrase.written).or_default().extend(places);
        }
    }
    found.retain(|_, places| places.len() > MOST_USES);
    assert!(found.is_empty(), "more than {MOST_USES} uses: {found:#?}");
}

#[test]
fn no_message_has_a_listed_phrase() {
    let listed = listed();
    let messages: Vec<_> = all().filter(|text| text.kind == Kind::Message).collect();
    assert!(messages.len() > 300, "{} messages were found", messages.len());
    let found = messages.iter().flat_map(|text| {
        let uses = |phrase: &Phrase| {
            let lines = phrase.lines_in(text).into_iter();
            lines.map(|line| format!("{}: {}", text.at(line), phrase.written)).collect::<Vec<_>>()
        };
        listed.iter().flat_map(uses).collect::<Vec<_>>()
    });
    let found: Vec<_> = found.collect();
    assert!(found.is_empty(), "{}", found.join("\n"));
}
