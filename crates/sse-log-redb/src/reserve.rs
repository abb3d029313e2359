//! The small file beside the file of the logs: how far that has come, and a megabyte in reserve for a disk that is full.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

const MAGIC: &str = "reserve of an sse-log-redb file";
/// The part that says how far the other file has come. It is never given up.
const HEAD: u64 = 4096;
/// How much is held in reserve, and how much of it is written at a time.
const RESERVE: u64 = 1024 * 1024;
const PIECE: usize = 64 * 1024;

/// Which file it was, by the number that it was given when it was made, and how many transactions there were in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Mark {
    pub(crate) file: u64,
    pub(crate) transactions: u64,
}

/// If it cannot be made, say in a folder that nobody may write to, the logs do without.
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
            tracing::debug!(%error, "there can be no reserve beside the file of an event log");
        }
        Self { file: file.ok(), is_whole: false }
    }

    /// Is the last mark that was made, if there is one.
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

    /// Says how far the file has come. It is not waited for: after a loss of power it may say less, and never more.
    pub(crate) fn set_mark(&mut self, mark: Mark) {
        let Mark { file, transactions } = mark;
        let line = format!("{MAGIC} {file:020} {transactions:020}\n");
        drop(self.write(0, format!("{line:<128}").as_bytes()));
    }

    /// Makes the reserve as large as it is to be, or as the disk allows.
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
                // A part of it may have been written, and is a part of the reserve.
                return;
            }
            at += piece as u64;
        }
        self.is_whole = true;
    }

    pub(crate) fn is_whole(&self) -> bool {
        self.is_whole || self.file.is_none()
    }

    /// Gives its room back to the disk.
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
    fn a_mark_is_there_when_the_reserve_is_opened_again_and_when_it_was_given_up() {
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
