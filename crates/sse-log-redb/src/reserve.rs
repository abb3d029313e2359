//! The reserve file beside the file of the logs: it notes how far that file has come, and reserves a megabyte for a full disk.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

const MAGIC: &str = "reserve of an sse-log-redb file";
/// Size of the part with the mark, in bytes. This part is never released.
const HEAD: u64 = 4096;
/// Size of the whole file, and of each write that fills it, in bytes.
const RESERVE: u64 = 1024 * 1024;
const PIECE: usize = 64 * 1024;

/// Number of a file, which it got when it was created, and number of its transactions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Mark {
    pub(crate) file: u64,
    pub(crate) transactions: u64,
}

/// Reserve file. If it cannot be created, say in a folder without write permission, the logs work without it.
#[derive(Debug)]
pub(crate) struct Reserve {
    file: Option<File>,
    is_whole: bool,
}

impl Reserve {
    pub(crate) fn open(path: &Path) -> Self {
        let options =
            OpenOptions::new().read(true).write(true).create(true).truncate(false).clone();
        let file = options.open(path_of(path));
        if let Err(error) = &file {
            tracing::debug!(%error, "opening the reserve beside a file of event logs failed; the logs work without it");
        }
        Self { file: file.ok(), is_whole: false }
    }

    /// Returns the last mark, if there is a valid mark.
    pub(crate) fn mark(&mut self) -> Option<Mark> {
        let file = self.file.as_mut()?;
        let mut line = [0; 128];
        file.rewind().ok()?;
        file.read_exact(&mut line).ok()?;
        let line = str::from_utf8(&line).ok()?.split('\n').next()?;
        let mut words = line.strip_prefix(MAGIC)?.split_ascii_whitespace();
        let file = words.next()?.parse().ok()?;
        Some(Mark { file, transactions: words.next()?.parse().ok()? })
    }

    /// Writes a mark, without a sync: after a loss of power the mark may be older than the file, and is never newer.
    pub(crate) fn set_mark(&mut self, mark: Mark) {
        let Mark { file, transactions } = mark;
        let line = format!("{MAGIC} {file:020} {transactions:020}\n");
        drop(self.write(0, format!("{line:<128}").as_bytes()));
    }

    /// Fills the reserve to its full size, or as far as the disk allows.
    pub(crate) fn fill(&mut self) {
        if self.is_whole || self.file.is_none() {
            return;
        }
        let len = self.file.as_ref().and_then(|file| file.metadata().ok()).map_or(0, |it| it.len());
        let mut at = len.max(HEAD);
        if len < HEAD && self.write(len, &vec![b'\n'; (HEAD - len) as usize]).is_err() {
            return;
        }
        while at < RESERVE {
            let piece = PIECE.min((RESERVE - at) as usize);
            if self.write(at, &vec![0; piece]).is_err() {
                // The part that was written is a part of the reserve.
                return;
            }
            at += piece as u64;
        }
        self.is_whole = true;
    }

    pub(crate) fn is_whole(&self) -> bool {
        self.is_whole || self.file.is_none()
    }

    /// Releases the room of the reserve to the disk.
    pub(crate) fn release(&mut self) {
        self.is_whole = false;
        if let Some(file) = &self.file {
            drop(file.set_len(HEAD));
        }
    }

    fn write(&mut self, at: u64, bytes: &[u8]) -> io::Result<()> {
        let Some(file) = &mut self.file else { return Ok(()) };
        file.seek(SeekFrom::Start(at))?;
        file.write_all(bytes)
    }
}

fn path_of(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".reserve");
    path.with_file_name(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_outlives_reopening_and_release_of_the_reserve() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("log.redb");
        let len = || path_of(&path).metadata().expect("it is there").len();
        let mark = Mark { file: u64::MAX, transactions: 7 };
        let mut reserve = Reserve::open(&path);
        assert_eq!(reserve.mark(), None);
        reserve.set_mark(mark);
        reserve.fill();
        assert_eq!((reserve.mark(), len()), (Some(mark), RESERVE));
        reserve.release();
        assert_eq!((reserve.mark(), len()), (Some(mark), HEAD));
        assert_eq!(Reserve::open(&path).mark(), Some(mark));
    }
}
