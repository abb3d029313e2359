//! One line of the protocol of NATS.

use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::net::tcp::OwnedReadHalf;

/// A line, in words, and what comes with it.
pub(crate) struct Frame {
    pub(crate) words: Vec<String>,
    pub(crate) payload: Vec<u8>,
}

impl Frame {
    pub(crate) async fn read(from: &mut BufReader<OwnedReadHalf>) -> Option<Self> {
        let mut line = String::new();
        from.read_line(&mut line).await.ok().filter(|read| *read > 0)?;
        let words: Vec<String> = line.trim_end().split(' ').map(Into::into).collect();
        let mut payload = Vec::new();
        if let "PUB" | "HPUB" | "MSG" | "HMSG" = words[0].as_str() {
            let size: usize = words.last()?.parse().ok()?;
            payload.resize(size + 2, 0);
            from.read_exact(&mut payload).await.ok()?;
        }
        Some(Self { words, payload })
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        [self.words.join(" ").as_bytes(), b"\r\n", &self.payload].concat()
    }
}
