//! A response as it comes in pieces: the head, chunks, lines, events. It holds no text, so that ten thousand of them are small.

use memchr::{memchr, memmem};

/// The longest beginning of a line that is looked at.
const BEGINNING: usize = 48;

/// The state of one response.
#[derive(Debug, Clone, Default)]
pub(crate) struct Parser {
    part: Part,
    chunked: bool,
    /// The bytes of the chunk that are still to come, or the size as far as it was read.
    left: usize,
    /// The first bytes of the head's line, or of the event stream's.
    line: Vec<u8>,
    line_length: usize,
    /// The event whose empty line is still to come.
    data: Option<Data>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Part {
    #[default]
    Head,
    Size,
    /// The rest of the line with the size: an extension, and the line feed.
    SizeEnd,
    Data,
    /// The line end after a chunk's data.
    DataEnd,
    End,
}

/// An event's line of data, of which each has one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Data {
    /// The event's number, of which each is one more than the last.
    pub(crate) number: u64,
    /// The time at which it was appended, in nanoseconds.
    pub(crate) appended: u64,
    /// The number of bytes.
    pub(crate) length: usize,
}

impl Parser {
    /// Returns true once the head of the response has come.
    pub(crate) fn begun(&self) -> bool {
        self.part != Part::Head
    }

    /// Reads the next bytes, and passes on each event at its end.
    ///
    /// # Errors
    ///
    /// If it is no event stream of 200, or not as HTTP/1.1 has it.
    pub(crate) fn read(
        &mut self,
        mut bytes: &[u8],
        mut event: impl FnMut(Data),
    ) -> Result<(), String> {
        while !bytes.is_empty() {
            bytes = match self.part {
                Part::Head => self.head(bytes)?,
                Part::Size => self.size(bytes)?,
                Part::SizeEnd => self.size_end(bytes),
                Part::Data => {
                    let length =
                        if self.chunked { self.left.min(bytes.len()) } else { bytes.len() };
                    let (data, rest) = bytes.split_at(length);
                    self.lines(data, &mut event)?;
                    if self.chunked {
                        self.left -= length;
                        if self.left == 0 {
                            (self.part, self.left) = (Part::DataEnd, 2);
                        }
                    }
                    rest
                }
                Part::DataEnd => {
                    let length = self.left.min(bytes.len());
                    if !b"\r\n".ends_with(&bytes[..length]) && self.left == length {
                        return Err("a chunk is longer than its size".into());
                    }
                    self.left -= length;
                    if self.left == 0 {
                        self.part = Part::Size;
                    }
                    &bytes[length..]
                }
                Part::End => return Err("the response has ended".into()),
            };
        }
        Ok(())
    }

    fn head<'a>(&mut self, bytes: &'a [u8]) -> Result<&'a [u8], String> {
        let known = self.line.len();
        self.line.extend_from_slice(bytes);
        let Some(end) = memmem::find(&self.line, b"\r\n\r\n") else { return Ok(&[]) };
        let head = String::from_utf8_lossy(&self.line[..end]).to_lowercase();
        if !head.starts_with("http/1.1 200") || !head.contains("text/event-stream") {
            return Err(format!("a response that is no event stream: {head}"));
        }
        self.chunked = head.contains("transfer-encoding: chunked");
        self.part = if self.chunked { Part::Size } else { Part::Data };
        self.line = Vec::with_capacity(BEGINNING);
        Ok(&bytes[end + 4 - known..])
    }

    fn size<'a>(&mut self, bytes: &'a [u8]) -> Result<&'a [u8], String> {
        match (bytes[0] as char).to_digit(16) {
            Some(digit) => {
                self.left = (self.left << 4) + digit as usize;
                Ok(&bytes[1..])
            }
            None if matches!(bytes[0], b'\r' | b';') => {
                self.part = Part::SizeEnd;
                Ok(&bytes[1..])
            }
            None => Err(format!("a size of a chunk with a byte {:#x}", bytes[0])),
        }
    }

    fn size_end<'a>(&mut self, bytes: &'a [u8]) -> &'a [u8] {
        let Some(end) = memchr(b'\n', bytes) else { return &[] };
        self.part = if self.left == 0 { Part::End } else { Part::Data };
        &bytes[end + 1..]
    }

    fn lines(&mut self, mut bytes: &[u8], event: &mut impl FnMut(Data)) -> Result<(), String> {
        while let Some(end) = memchr(b'\n', bytes) {
            let line = &bytes[..end];
            bytes = &bytes[end + 1..];
            if self.line_length == 0 {
                if let Some(data) = read_line(line, line.len())? {
                    self.data = Some(data);
                } else if line.is_empty() {
                    self.data.take().into_iter().for_each(&mut *event);
                }
            } else {
                self.keep(line);
                self.data = read_line(&self.line, self.line_length)?.or(self.data);
                self.line.clear();
                self.line_length = 0;
            }
        }
        self.keep(bytes);
        Ok(())
    }

    fn keep(&mut self, part: &[u8]) {
        self.line.extend_from_slice(&part[..part.len().min(BEGINNING - self.line.len())]);
        self.line_length += part.len();
    }
}

/// Reads the line of that length that begins so, if it is one of data.
fn read_line(line: &[u8], length: usize) -> Result<Option<Data>, String> {
    let Some(data) = line.strip_prefix(b"data:") else { return Ok(None) };
    let data = data.strip_prefix(b" ").unwrap_or(data);
    if data.is_empty() {
        return Ok(None); // a position, or a keep-alive
    }
    let length = length - (line.len() - data.len());
    let numbers = data.get(..12).and_then(number).zip(data.get(13..33).and_then(number));
    let (number, appended) = numbers.ok_or("a line of data without its number")?;
    Ok(Some(Data { number, appended, length }))
}

fn number(digits: &[u8]) -> Option<u64> {
    digits.iter().try_fold(0_u64, |number, digit| {
        digit.is_ascii_digit().then(|| number * 10 + u64::from(digit - b'0'))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n";

    fn check(response: &str, expected: &[(u64, usize)]) {
        for piece in 1..=response.len() {
            let (mut parser, mut events) = (Parser::default(), Vec::new());
            for bytes in response.as_bytes().chunks(piece) {
                let read = parser.read(bytes, |data| events.push((data.number, data.length)));
                read.expect("an event stream");
            }
            assert_eq!(events, expected, "in pieces of {piece}");
        }
    }

    fn data(number: u64) -> String {
        format!("{number:012} {:020} xyz", 5)
    }

    #[test]
    fn it_reads_events_of_chunks_that_end_anywhere() {
        let position = "event: position\ndata\nid: 1\n\nevent: position\ndata: \nid: 2\n\n";
        let events = format!("id: 1\ndata: {}\n\ndata:{}\n\n", data(7), data(8));
        let text = format!(": ok\n\n{position}{events}");
        let (one, two) = text.split_at(40);
        let chunk = |text: &str| format!("{:X};extended\r\n{text}\r\n", text.len());
        let chunks = format!("{}{}", chunk(one), chunk(two));
        check(&format!("{HEAD}Transfer-Encoding: chunked\r\n\r\n{chunks}"), &[(7, 37), (8, 37)]);
        check(&format!("{HEAD}\r\n{text}"), &[(7, 37), (8, 37)]);
    }

    #[test]
    fn it_refuses_what_is_no_event_stream() {
        let refuses = |response: &str| Parser::default().read(response.as_bytes(), |_| {}).is_err();
        assert!(refuses("HTTP/1.1 404 Not Found\r\n\r\n"));
        assert!(refuses(&format!("{HEAD}Transfer-Encoding: chunked\r\n\r\n2\r\n: longer\r\n")));
        assert!(refuses(&format!("{HEAD}\r\ndata: 12\n\n")));
    }
}
