//! The header of a message that has the topics of its event: the tokens of the topics, with commas between them.

use sse_core::Topic;
use sse_core::store::Topics;

use crate::names::{text, token};

/// The name of the header.
pub(crate) const NAME: &str = "Sse-Topics";

/// Returns the text of these topics.
pub(crate) fn of(topics: &[Topic]) -> String {
    let tokens: Vec<_> = topics.iter().map(|topic| token(topic.as_str())).collect();
    tokens.join(",")
}

/// Returns the topics of this text, or `None` if it is invalid.
pub(crate) fn parse(header: &str) -> Option<Topics> {
    let topics = header.split(',').map(|token| Topic::try_from(text(token)?).ok());
    Topics::new(topics.collect::<Option<Vec<_>>>()?).ok()
}

/// Returns the text of the topics in these headers, as they were sent.
pub(crate) fn find(headers: &[u8]) -> Option<String> {
    let headers = std::str::from_utf8(headers).ok()?;
    let mut values = headers.lines().filter_map(|line| line.strip_prefix(NAME)?.strip_prefix(':'));
    values.next().map(|value| value.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn topics_are_read_from_the_header_that_was_written() {
        let topics = ["room/42", "a, b: c", "naïve \u{1F980}", "="].map(Topic::from_static);
        let topics = Topics::new(topics).expect("four");
        let value = of(&topics);
        let headers = format!("NATS/1.0\r\nNats-Msg-Id: x\r\n{NAME}: {value}\r\n\r\n");
        assert_eq!(find(headers.as_bytes()), Some(value.clone()));
        assert_eq!(parse(&value), Some(topics));
        for nonsense in ["", "a,", "a,=zz", "=0a", "1,2,3,4,5,6,7,8,9"] {
            assert_eq!(parse(nonsense), None, "{nonsense:?}");
        }
        assert_eq!(find(b"NATS/1.0\r\nSse-Topics-Of-Others: x\r\n\r\n"), None);
    }
}
