//! The head of a response, and what it says about the body.

use super::body::Body;
use std::io;
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;

pub(super) struct Head {
    pub(super) status: u16,
    pub(super) headers: Vec<(String, String)>,
}

impl Head {
    /// Reads up to the blank line, and returns what was read beyond it as well.
    pub(super) async fn read(stream: &mut TcpStream) -> io::Result<(Self, Vec<u8>)> {
        let mut received = Vec::new();
        let end = loop {
            if let Some(at) = received.windows(4).position(|four| four == b"\r\n\r\n") {
                break at + 4;
            }
            if stream.read_buf(&mut received).await? == 0 {
                let head = received.escape_ascii();
                let message = format!("the connection was closed after \"{head}\"");
                return Err(io::Error::new(io::ErrorKind::UnexpectedEof, message));
            }
        };
        let rest = received.split_off(end);
        Ok((Self::parse(&String::from_utf8_lossy(&received)), rest))
    }

    fn parse(head: &str) -> Self {
        let mut lines = head.trim_end().split("\r\n");
        let status = lines.next().and_then(|line| line.split(' ').nth(1));
        let status = status.and_then(|code| code.parse().ok());
        let header = |line: &str| {
            let (name, value) = line.split_once(':').expect("a header has a colon");
            (name.to_owned(), value.trim().to_owned())
        };
        Self {
            status: status.unwrap_or_else(|| panic!("no status in {head:?}")),
            headers: lines.map(header).collect(),
        }
    }

    /// Returns the kind of end that the body will have (RFC 9112, section 6.3).
    pub(super) fn body(&self, method: &str) -> Body {
        if method == "HEAD" || matches!(self.status, 100..200 | 204 | 304) {
            return Body::sized(0);
        }
        if find(&self.headers, "Transfer-Encoding").is_some() {
            return Body::chunked();
        }
        match find(&self.headers, "Content-Length") {
            Some(length) => Body::sized(length.parse().expect("Content-Length is a number")),
            None => Body::until_close(),
        }
    }
}

/// The first value of a header, however its name is capitalised.
pub(super) fn find<'a>(headers: &'a [(String, String)], name: &str) -> Option<&'a str> {
    let mut named = headers.iter().filter(|(n, _)| n.eq_ignore_ascii_case(name));
    named.next().map(|(_, value)| value.as_str())
}
