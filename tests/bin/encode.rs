//! Reads a JSON event a line, writes what the encoder makes of it as a JSON line: `{"wire": "…"}` or `{"rejected": "why"}`.

use std::io::{self, BufRead, Write};

use serde_json::json;
use sse_conformance::suite::event_json;
use sse_core::Frame;

fn main() -> io::Result<()> {
    let mut out = io::stdout().lock();
    for line in io::stdin().lock().lines() {
        let answer = match event_json::parse(&line?).map(Frame::from) {
            Ok(frame) => json!({ "wire": String::from_utf8_lossy(frame.as_bytes()) }),
            Err(reason) => json!({ "rejected": reason }),
        };
        writeln!(out, "{answer}")?;
    }
    Ok(())
}
