//! Phrases, and the lines of a text that have them.

use super::texts::Text;

/// Words and punctuation that follow one another.
pub(super) struct Phrase {
    pub(super) written: String,
    tokens: Vec<String>,
}

impl Phrase {
    /// `where (if)` stands for the clauses that begin with *where* and state a condition.
    pub(super) fn new(written: &str) -> Self {
        let tokens = tokens(written).map(|(token, _)| token).collect();
        Self { written: written.to_owned(), tokens }
    }

    /// Returns the line of each use.
    pub(super) fn lines_in(&self, text: &Text) -> Vec<usize> {
        let lines = text.lines.iter().map(|(number, line)| (*number, without_code(line)));
        let lines: Vec<_> = lines.collect();
        let mut found = vec![(".".to_owned(), 0, false)];
        for (number, line) in &lines {
            found.extend(tokens(line).map(|(token, is_upper)| (token, *number, is_upper)));
            if line.is_empty() {
                found.push((".".to_owned(), *number, false)); // a paragraph ends
            }
        }
        let uses = (1..found.len()).filter(|&at| match self.written.as_str() {
            "where (if)" => is_condition(&found[at - 1..]),
            _ => self.is_at(&found, at),
        });
        uses.map(|at| found[at].1).collect()
    }

    fn is_at(&self, found: &[(String, usize, bool)], at: usize) -> bool {
        let words = found[at..].iter().map(|(token, ..)| token);
        let is_used = found.len() - at >= self.tokens.len()
            && self.tokens.iter().zip(words).all(|(expected, word)| expected == word);
        // "There is none" is plain; "the id is none" is not.
        let is_plain = self.tokens[0] == "is" || self.tokens[0] == "are";
        is_used && !(is_plain && found[at - 1].0 == "there")
    }
}

/// Tells whether the second token begins a clause such as "where it is missing": after punctuation, before its subject.
fn is_condition(tokens: &[(String, usize, bool)]) -> bool {
    const SUBJECTS: [&str; 14] = [
        "it", "there", "the", "that", "this", "no", "a", "an", "its", "they", "nothing", "one",
        "either", "none",
    ];
    let [(before, ..), (word, _, is_upper), (after, ..), ..] = tokens else { return false };
    let begins = matches!(before.as_str(), "." | "," | ";" | ":" | "(");
    word == "where" && begins && !is_upper && SUBJECTS.contains(&after.as_str())
}

/// The words in lower case, and the punctuation. `WHERE` of SQL, in upper case, is marked.
fn tokens(line: &str) -> impl Iterator<Item = (String, bool)> + '_ {
    let mut rest = line;
    std::iter::from_fn(move || {
        rest = rest.trim_start_matches(|c: char| !c.is_alphanumeric() && !".,;:(".contains(c));
        let first = rest.chars().next()?;
        let inside = |c: char| c.is_alphanumeric() || "'_".contains(c);
        let end = if inside(first) { rest.find(|c| !inside(c)).unwrap_or(rest.len()) } else { 1 };
        let (token, after) = rest.split_at(end);
        rest = after;
        Some((token.to_lowercase(), token.len() > 1 && token == token.to_uppercase()))
    })
}

/// Leaves out what stands between backticks.
fn without_code(line: &str) -> String {
    let parts = line.split('`').enumerate();
    parts.map(|(number, part)| if number % 2 == 0 { part } else { "x" }).collect()
}

#[test]
fn a_phrase_is_found_across_lines_and_only_as_whole_words() {
    #[track_caller]
    fn check(phrase: &str, lines: &[&str], expected: &[usize]) {
        let text = Text::of_lines(lines);
        assert_eq!(Phrase::new(phrase).lines_in(&text), expected, "{phrase} in {lines:?}");
    }
    check("anew", &["It begins anew."], &[1]);
    check("anew", &["a newt, `anew`"], &[]);
    check("let go of", &["an event is let", "go of later"], &[1]);
    check("is none", &["The id is none.", "If there is none, it waits."], &[1]);
    check(
        "where (if)",
        &["Where the id is old", "it fails, where it", "is the file where it is"],
        &[1, 2],
    );
    check("where (if)", &["`SELECT`: WHERE the", "the place where the log is"], &[]);
}
