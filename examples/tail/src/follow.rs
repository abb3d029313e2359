use std::io;
use std::path::PathBuf;

use sse_axum::EventLog;
use tokio::fs::File;
use tokio::io::{AsyncBufRead, AsyncBufReadExt, AsyncSeekExt, BufReader, SeekFrom};

use crate::{PACE, publish};

/// The longest line, in bytes; what is longer is cut into pieces.
const LONGEST_LINE: usize = 512 * 1024;

/// Appends each line of the standard input, until it ends.
pub(crate) async fn input(log: EventLog) -> io::Result<()> {
    let mut input = BufReader::new(tokio::io::stdin());
    let mut line = Vec::new();
    while read_line(&mut input, &mut line).await? > 0 {
        publish(&log, &line).await;
        line.clear();
    }
    Ok(())
}

/// Appends each line that is added to a file from now on; a file that became shorter is read from its beginning.
pub(crate) async fn file(log: EventLog, path: PathBuf) -> io::Result<()> {
    let mut file = BufReader::new(File::open(&path).await?);
    let mut read = file.seek(SeekFrom::End(0)).await?;
    let mut line = Vec::new();
    loop {
        match read_line(&mut file, &mut line).await? {
            0 => {
                if tokio::fs::metadata(&path).await?.len() < read {
                    file = BufReader::new(File::open(&path).await?);
                    read = 0;
                    line.clear();
                }
                tokio::time::sleep(PACE).await;
            }
            n => read += n as u64,
        }
        // A line that has no end yet is being written.
        if line.ends_with(b"\n") || line.len() >= LONGEST_LINE {
            publish(&log, &line).await;
            line.clear();
        }
    }
}

/// Reads up to the end of the line, of the file, or of what a line may have. Returns the number of bytes.
async fn read_line(
    input: &mut (impl AsyncBufRead + Unpin),
    line: &mut Vec<u8>,
) -> io::Result<usize> {
    let before = line.len();
    while line.len() < LONGEST_LINE {
        let available = input.fill_buf().await?;
        if available.is_empty() {
            break;
        }
        let room = &available[..available.len().min(LONGEST_LINE - line.len())];
        let end = room.iter().position(|&byte| byte == b'\n');
        let taken = end.map_or(room.len(), |end| end + 1);
        line.extend_from_slice(&room[..taken]);
        input.consume(taken);
        if end.is_some() {
            break;
        }
    }
    Ok(line.len() - before)
}
