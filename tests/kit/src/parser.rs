//! The standard's reader of event streams, to hold encoders against.
//!
//! A transcription, step by step, of "Interpreting an event stream" (WHATWG HTML, section 9.2.6),
//! and of nothing else: it shares no code with the encoder, so that both cannot be one
//! misunderstanding.

use std::mem;

/// An event as a page would receive it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parsed {
    /// `message` unless the stream named another.
    pub event_type: String,
    /// The data lines, joined with LF.
    pub data: String,
    /// The last event ID when the event was dispatched.
    pub last_event_id: String,
}

/// Turns the bytes of a stream into events, however they are split into chunks.
///
/// ```
/// use sse_test_kit::parser::Parser;
///
/// let mut parser = Parser::default();
/// assert!(parser.feed(b"data: hello\r").is_empty());
/// let events = parser.feed(b"\n\r\n");
/// assert_eq!(events[0].event_type, "message");
/// assert_eq!(events[0].data, "hello");
/// ```
#[derive(Default, Debug)]
pub struct Parser {
    line: Vec<u8>,
    past_first_line: bool,
    after_cr: bool,
    in_event: bool,
    data_buffer: String,
    event_type_buffer: String,
    last_event_id_buffer: String,
    last_event_id: String,
    reconnection_time: Option<u64>,
    comments: Vec<String>,
}

impl Parser {
    /// Takes the next bytes of the stream and returns the events they complete.
    ///
    /// There is nothing to call at the end of the stream: a block without its blank line is
    /// discarded there, so whatever has not been returned by then never will be.
    pub fn feed(&mut self, bytes: &[u8]) -> Vec<Parsed> {
        let mut events = Vec::new();
        for &byte in bytes {
            // A CR ends its line without a look at the byte after it, which may be a long time
            // coming; an LF that then comes belongs to the same line end.
            let after_cr = mem::replace(&mut self.after_cr, byte == b'\r');
            match byte {
                b'\n' if after_cr => {}
                b'\n' | b'\r' => events.extend(self.end_line()),
                _ => self.line.push(byte),
            }
        }
        events
    }

    /// The ID that a client must send when it reconnects; empty means no header.
    pub fn last_event_id(&self) -> &str {
        &self.last_event_id
    }

    /// The last valid reconnection time, in milliseconds. One above 64 bits counts as the largest.
    pub fn reconnection_time(&self) -> Option<u64> {
        self.reconnection_time
    }

    /// The text of every comment so far, without the colon and one space after it.
    pub fn comments(&self) -> &[String] {
        &self.comments
    }

    /// Tells whether a stream that ended here would lose something: an unfinished line, or a block with
    /// an `event`, `data` or `id` field and no blank line yet.
    ///
    /// A comment or a `retry` does its work at the end of its line, so neither opens a block.
    pub fn is_mid_event(&self) -> bool {
        self.in_event || !self.line.is_empty()
    }

    /// Decodes the line and processes it.
    ///
    /// Decoding line by line equals decoding the whole stream: CR and LF end any UTF-8 sequence,
    /// valid or not. For the same reason the byte order mark can wait for the first line's end.
    fn end_line(&mut self) -> Option<Parsed> {
        let line = mem::take(&mut self.line);
        let is_first = !mem::replace(&mut self.past_first_line, true);
        let line = match line.strip_prefix(b"\xEF\xBB\xBF") {
            Some(rest) if is_first => rest,
            _ => &line,
        };
        self.process_line(&String::from_utf8_lossy(line))
    }

    fn process_line(&mut self, line: &str) -> Option<Parsed> {
        if line.is_empty() {
            return self.dispatch();
        }
        match line.split_once(':') {
            Some(("", comment)) => self.comments.push(without_space(comment).to_owned()),
            Some((name, value)) => self.process_field(name, without_space(value)),
            None => self.process_field(line, ""),
        }
        None
    }

    fn process_field(&mut self, name: &str, value: &str) {
        self.in_event |= matches!(name, "event" | "data" | "id");
        match name {
            "event" => self.event_type_buffer = value.to_owned(),
            "data" => {
                self.data_buffer.push_str(value);
                self.data_buffer.push('\n');
            }
            "id" if !value.contains('\0') => self.last_event_id_buffer = value.to_owned(),
            "retry" if is_digits(value) => {
                // Digits fail to parse only when there are too many of them.
                self.reconnection_time = Some(value.parse().unwrap_or(u64::MAX));
            }
            _ => {}
        }
    }

    /// The blank line. The ID counts from here on, with or without an event, and its buffer is
    /// the one that is not reset.
    fn dispatch(&mut self) -> Option<Parsed> {
        self.in_event = false;
        self.last_event_id.clone_from(&self.last_event_id_buffer);
        let mut data = mem::take(&mut self.data_buffer);
        let event_type = mem::take(&mut self.event_type_buffer);
        if data.is_empty() {
            return None;
        }
        if data.ends_with('\n') {
            data.pop();
        }
        Some(Parsed {
            event_type: if event_type.is_empty() { "message".to_owned() } else { event_type },
            data,
            last_event_id: self.last_event_id.clone(),
        })
    }
}

fn without_space(value: &str) -> &str {
    value.strip_prefix(' ').unwrap_or(value)
}

fn is_digits(value: &str) -> bool {
    !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit())
}
