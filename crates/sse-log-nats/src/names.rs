use std::fmt::Write;

use sse_core::Topic;

/// The subjects of the messages of a log, after its prefix: `Kind::of` reads what [`Names`] writes. After `TOPIC` comes the token of the topic,
/// after `KEYED` that of the key, and after `BATCH` and `LAST` the number of events.
pub(crate) const SINGLE: &str = "e";
pub(crate) const TOPIC: &str = "t.";
pub(crate) const TOPICS: &str = "s";
pub(crate) const KEYED: &str = "k.";
pub(crate) const BATCH: &str = "m.batch.";
pub(crate) const LAST: &str = "m.batch.last.";
pub(crate) const NOTE: &str = "m.note";
const ID_REQUESTS: &str = "m.ask";
const MULTIPLE: &str = "m.>";

/// The place of a batch in its log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Batch {
    /// Other events may follow.
    Any,
    /// The log is to be finished after it.
    Last,
}

/// The names of the parts of a log.
pub(crate) struct Names {
    /// The name of the log.
    pub(crate) log: String,
    /// The stream of its events.
    pub(crate) stream: String,
    /// The beginning of the subjects of its messages.
    pub(crate) prefix: String,
    /// The subject of its record.
    pub(crate) record: String,
    /// The stream of the records of all logs. No log has a hyphen here.
    pub(crate) records: String,
    /// The subjects of all records.
    pub(crate) record_subjects: String,
}

impl Names {
    pub(crate) fn new(prefix: &str, log: &str) -> Result<Self, &'static str> {
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_-".contains(&byte);
        if !(1..=64).contains(&log.len()) || !log.bytes().all(is_plain) {
            return Err("the log name is invalid: it takes 1 to 64 of [A-Za-z0-9_-]");
        }
        let is_prefix = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
        if !(1..=32).contains(&prefix.len()) || !prefix.bytes().all(is_prefix) {
            return Err("the prefix is invalid: it takes 1 to 32 of [a-z0-9]");
        }
        let capitals = prefix.to_ascii_uppercase();
        Ok(Self {
            log: log.to_owned(),
            stream: format!("{capitals}_{log}"),
            prefix: format!("{prefix}.{log}."),
            record: format!("{prefix}-meta.{log}"),
            records: records(prefix),
            record_subjects: format!("{prefix}-meta.*"),
        })
    }

    /// Returns the subjects of all messages.
    pub(crate) fn all(&self) -> String {
        format!("{}>", self.prefix)
    }

    /// Returns the subject of one event without a key and without topics.
    pub(crate) fn single(&self) -> String {
        format!("{}{SINGLE}", self.prefix)
    }

    /// Returns the subject of one event of this topic alone, without a key. It is the index of the topic.
    pub(crate) fn of_topic(&self, topic: &Topic) -> String {
        format!("{}{TOPIC}{}", self.prefix, token(topic.as_str()))
    }

    /// Returns the subject of one event of several topics, without a key.
    pub(crate) fn of_topics(&self) -> String {
        format!("{}{TOPICS}", self.prefix)
    }

    /// Returns the subject of one event of this key.
    pub(crate) fn keyed(&self, key: &str) -> String {
        format!("{}{KEYED}{}", self.prefix, token(key))
    }

    /// Returns the subject of a batch of so many events.
    pub(crate) fn batch(&self, batch: Batch, events: usize) -> String {
        let subject = match batch {
            Batch::Any => BATCH,
            Batch::Last => LAST,
        };
        format!("{}{subject}{events}", self.prefix)
    }

    /// Returns the subjects of last events.
    pub(crate) fn any_last(&self) -> String {
        format!("{}{LAST}*", self.prefix)
    }

    /// Returns true if this is the subject of last events.
    pub(crate) fn is_last(&self, subject: &str) -> bool {
        subject.strip_prefix(&self.prefix).is_some_and(|rest| rest.starts_with(LAST))
    }

    /// Returns the subject of notes, which are no events.
    pub(crate) fn note(&self) -> String {
        format!("{}{NOTE}", self.prefix)
    }

    /// Returns the subject of requests about ids, which are never stored. A finished log takes no other.
    pub(crate) fn id_requests(&self) -> String {
        format!("{}{ID_REQUESTS}", self.prefix)
    }

    /// Returns the subjects of all messages that are not one event each.
    pub(crate) fn multiple(&self) -> String {
        format!("{}{MULTIPLE}", self.prefix)
    }

    /// Returns the subjects of all messages that are events.
    pub(crate) fn events(&self) -> [String; 5] {
        let [topics, keyed, batches] = self.of_any_topic();
        [self.single(), format!("{}{TOPIC}*", self.prefix), topics, keyed, batches]
    }

    /// Returns the subjects of messages whose topics are not in the subject: a reader of any topics must look at all of them.
    pub(crate) fn of_any_topic(&self) -> [String; 3] {
        let [keyed, batches] = [format!("{KEYED}*"), format!("{BATCH}>")];
        [self.of_topics(), format!("{}{keyed}", self.prefix), format!("{}{batches}", self.prefix)]
    }
}

/// Returns the stream of the records of all logs of this prefix.
pub(crate) fn records(prefix: &str) -> String {
    format!("{}-META", prefix.to_ascii_uppercase())
}

/// Encodes a text for a subject or a header: letters, digits, `_` and `-` stay, other bytes are written as in `=2e`.
pub(crate) fn token(text: &str) -> String {
    let mut token = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-' => token.push(byte.into()),
            _ => write!(token, "={byte:02x}").expect("writing to a string does not fail"),
        }
    }
    token
}

/// Decodes a token. Returns `None` if it is invalid.
pub(crate) fn text(token: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(token.len());
    let mut rest = token.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        if *first != b'=' {
            bytes.push(*first);
            continue;
        }
        let (digits, after) = after.split_at_checked(2)?;
        let digits = std::str::from_utf8(digits).ok()?;
        bytes.push(u8::from_str_radix(digits, 16).ok()?);
        rest = after;
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_is_decoded_from_its_subject() {
        for key in ["cpu", "a.b", "*", ">", "=2e", "a b\r\n", "naïve \u{1F980}", "\u{0}"] {
            let token = token(key);
            assert!(token.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-=".contains(&b)));
            assert_eq!(text(&token).as_deref(), Some(key), "{token}");
        }
        for nonsense in ["=", "=2", "=zz", "=ff"] {
            assert_eq!(text(nonsense), None, "{nonsense}");
        }
    }

    #[test]
    fn a_log_name_with_other_characters_is_invalid() {
        for name in ["", "a.b", "a b", "ä", "*", &"x".repeat(65)] {
            assert!(Names::new("sse", name).is_err(), "{name:?}");
        }
        assert_eq!(Names::new("sse", "a-B_9").expect("a name").stream, "SSE_a-B_9");
    }

    /// Two prefixes that differ only in case would name the same streams.
    #[test]
    fn a_prefix_takes_small_letters_and_digits() {
        for prefix in ["", "Shop", "a.b", "a-b", "a_b", "*", "ä", &"x".repeat(33)] {
            assert!(Names::new(prefix, "log").is_err(), "{prefix:?}");
        }
        let names = Names::new("shop2", "log").expect("a prefix");
        assert_eq!((&*names.stream, &*names.records), ("SHOP2_log", "SHOP2-META"));
    }
}
