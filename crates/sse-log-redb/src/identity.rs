use std::fs::{File, Metadata};
use std::io;
use std::path::Path;
use std::time::SystemTime;

/// Which file it is, whatever its name. Another file in its place has another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Identity {
    /// Differs from one start of the machine to the next on some file systems, so no file remembers it.
    device: u64,
    pub(crate) inode: u64,
    /// When it was made, in nanoseconds; 0 if the file system does not say. A file system gives the number of a file that is gone to the next one.
    pub(crate) born: u64,
}

impl Identity {
    pub(crate) fn of(file: &File) -> io::Result<Self> {
        Ok(Self::from(&file.metadata()?))
    }

    /// Is the identity of the file that has this name now.
    pub(crate) fn at(path: &Path) -> io::Result<Self> {
        Ok(Self::from(&path.metadata()?))
    }

    /// Whether a file that remembers these is this one, and no copy.
    pub(crate) fn is(&self, inode: u64, born: u64) -> bool {
        self.inode == inode && (self.born == born || self.born == 0 || born == 0)
    }
}

impl From<&Metadata> for Identity {
    fn from(metadata: &Metadata) -> Self {
        let born = metadata.created().ok();
        let born = born.and_then(|born| born.duration_since(SystemTime::UNIX_EPOCH).ok());
        let born = born.and_then(|born| u64::try_from(born.as_nanos()).ok()).unwrap_or(0);
        let (device, inode) = numbers(metadata);
        Self { device, inode, born }
    }
}

#[cfg(unix)]
fn numbers(metadata: &Metadata) -> (u64, u64) {
    use std::os::unix::fs::MetadataExt;
    (metadata.dev(), metadata.ino())
}

/// The time at which it was made has to do.
#[cfg(not(unix))]
fn numbers(_: &Metadata) -> (u64, u64) {
    (0, 0)
}
