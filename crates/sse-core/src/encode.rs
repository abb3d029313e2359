//! The encoding of events, in the form that real clients can read:
//!
//! - comment, event, retry, data, **id last**, blank line: a client that is cut off in the middle of a block may already have
//!   taken its id, and would then never request the event again;
//! - only LF ends a line, and the space after the colon is always there;
//! - a block without data and without an id has no blank line, because some clients would deliver an empty event. Its lines belong to the
//!   next block.

use bytes::{BufMut, BytesMut};
use memchr::memchr2;

use crate::Event;

/// Writes an event without its id and the blank line. The bytes end with a line end, or are empty.
pub(crate) fn block(event: &Event, out: &mut BytesMut) {
    out.reserve(estimate(event));
    if let Some(text) = &event.comment {
        comment(text, out);
    }
    if let Some(data) = &event.data {
        // Without data the type has no event, and its line would apply to the next block.
        if let Some(event_type) = event.event_type.as_ref().filter(|t| !t.as_str().is_empty()) {
            line(b"event: ", event_type.as_str().as_bytes(), out);
        }
        retry(event, out);
        lines(b"data: ", data, out);
    } else {
        retry(event, out);
    }
}

/// Returns the size of the bytes that [`block`] writes, without writing them.
pub(crate) fn block_len(event: &Event) -> usize {
    let comment = event.comment.as_deref().map_or(0, |text| lines_len(": ".len(), text));
    let data = event.data.as_deref().map_or(0, |data| lines_len("data: ".len(), data));
    let event_type = match &event.event_type {
        Some(t) if event.data.is_some() && !t.as_str().is_empty() => {
            "event: \n".len() + t.as_str().len()
        }
        _ => 0,
    };
    let retry = event.retry.map_or(0, |retry| {
        let millis = retry.min(Event::MAX_RETRY).as_millis() as u64;
        "retry: \n".len() + itoa::Buffer::new().format(millis).len()
    });
    comment + event_type + retry + data
}

fn lines_len(field: usize, text: &str) -> usize {
    let text = text.as_bytes();
    let ends = memchr::memchr2_iter(b'\r', b'\n', text);
    // CR and LF together end one line, and neither goes out.
    let (mut lines, mut dropped) = (1, 0);
    for end in ends {
        dropped += 1;
        lines += usize::from(!(text[end] == b'\n' && end > 0 && text[end - 1] == b'\r'));
    }
    text.len() - dropped + lines * (field + 1)
}

/// Writes the id line and the blank line, which end a block.
pub(crate) fn id(id: &[u8], out: &mut BytesMut) {
    line(b"id: ", id, out);
    out.put_u8(b'\n');
}

/// Writes the id line and the blank line, with an id that `write` writes in place.
pub(crate) fn id_of_parts(write: impl FnOnce(&mut BytesMut), out: &mut BytesMut) {
    out.put_slice(b"id: ");
    write(out);
    out.put_slice(b"\n\n");
}

/// Returns the length of those lines for an id of this length.
pub(crate) fn id_len(id: usize) -> usize {
    "id: \n\n".len() + id
}

/// Writes a comment, each line of its text as a comment line.
pub(crate) fn comment(text: &str, out: &mut BytesMut) {
    lines(b": ", text, out);
}

fn retry(event: &Event, out: &mut BytesMut) {
    if let Some(retry) = event.retry {
        let millis = retry.min(Event::MAX_RETRY).as_millis() as u64;
        line(b"retry: ", itoa::Buffer::new().format(millis).as_bytes(), out);
    }
}

fn lines(field: &[u8], text: &str, out: &mut BytesMut) {
    let mut rest = text.as_bytes();
    while let Some(end) = memchr2(b'\r', b'\n', rest) {
        line(field, &rest[..end], out);
        let crlf = rest[end..].starts_with(b"\r\n");
        rest = &rest[end + 1 + usize::from(crlf)..];
    }
    line(field, rest, out);
}

fn line(field: &[u8], value: &[u8], out: &mut BytesMut) {
    out.put_slice(field);
    out.put_slice(value);
    out.put_u8(b'\n');
}

/// Returns the room for the event if each text has one line, and for the id that a log gives it; more lines grow the buffer.
fn estimate(event: &Event) -> usize {
    let text = |t: &Option<String>| t.as_ref().map_or(0, |t| t.len() + 8);
    let event_type = event.event_type.as_ref().map_or(0, |t| t.as_str().len() + 8);
    let id = event.id.as_ref().map_or(0, |id| id.as_str().len() + 6);
    text(&event.data) + text(&event.comment) + event_type + id + 64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{EventId, EventType, Frame};

    #[track_caller]
    fn check(event: Event, wire: &str) {
        let mut out = BytesMut::new();
        block(&event, &mut out);
        assert_eq!(block_len(&event), out.len(), "the size known before is the size written");
        assert_eq!(Frame::from(event).as_bytes(), wire.as_bytes());
    }

    #[test]
    fn fields_stand_in_the_order_that_survives_a_cut() {
        let event = Event::new("a\nb")
            .event_type(EventType::from_static("t"))
            .id(EventId::from_static("7"))
            .retry(std::time::Duration::from_secs(1))
            .comment("c");
        check(event, ": c\nevent: t\nretry: 1000\ndata: a\ndata: b\nid: 7\n\n");
    }

    #[test]
    fn every_line_end_is_one_line_break() {
        check(Event::new("a\r\nb\rc\nd"), "data: a\ndata: b\ndata: c\ndata: d\n\n");
        check(Event::new("\n"), "data: \ndata: \n\n");
        check(Event::new(""), "data: \n\n");
        check(Event::new("\r\n\r\r\n\n"), "data: \ndata: \ndata: \ndata: \ndata: \n\n");
        check(Event::new("\n\r"), "data: \ndata: \ndata: \n\n");
    }

    #[test]
    fn what_delivers_nothing_has_no_blank_line() {
        check(Event::default(), "");
        check(Event::default().comment("hi"), ": hi\n");
        check(Event::default().comment("a\rb"), ": a\n: b\n");
        check(Event::default().retry(std::time::Duration::MAX), "retry: 2147483647\n");
        check(Event::default().event_type(EventType::from_static("t")), "");
        check(Event::default().id(EventId::from_static("7")), "id: 7\n\n");
        check(Event::new("x").id(EventId::from_static("")), "data: x\nid: \n\n");
    }
}
