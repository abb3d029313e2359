//! Opens the redb database in a file, and creates the file if it is missing.

use std::fs::{self, File, OpenOptions};
use std::io::ErrorKind;
use std::path::Path;

use redb::Builder;
use redb::backends::FileBackend;

use crate::error::{Failure, catch_panic};
use crate::format::check_format;
use crate::identity::Identity;
use crate::options::EngineOptions;
use crate::position::new_epoch;

/// What is done if there is no file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum IfMissing {
    Make,
    Fail,
}

/// Opens the file, and says which one it is: the one that is open, whatever has its name a moment later.
pub(crate) fn open(
    path: &Path,
    options: &EngineOptions,
    if_missing: IfMissing,
) -> Result<(redb::Database, Identity), Failure> {
    let opened = catch_panic(|| {
        if if_missing == IfMissing::Make {
            create_if_missing(path)?;
        }
        let file = file(path, if_missing)?;
        let identity = Identity::of(&file)?;
        let mut builder = Builder::new();
        builder.set_cache_size(options.cache_bytes);
        builder.set_check_integrity_on_open(options.check_on_open);
        let database = builder.create_with_backend(FileBackend::new(file)?)?;
        check_format(&database)?;
        Ok((database, identity))
    });
    opened.map_err(|failure| match failure {
        // It may be free soon.
        failure if is_open_elsewhere(&failure) => failure,
        failure => cannot_open(path, &failure.to_string()),
    })
}

fn file(path: &Path, if_missing: IfMissing) -> Result<File, Failure> {
    let make = if_missing == IfMissing::Make;
    let file = OpenOptions::new().read(true).write(true).create(make).truncate(false).open(path)?;
    if !make && file.metadata()?.len() == 0 {
        return Err(Failure::Refused("it is empty".into()));
    }
    Ok(file)
}

pub(crate) fn cannot_open(path: &Path, reason: &str) -> Failure {
    Failure::Refused(format!("the event log {} cannot be opened: {reason}", path.display()))
}

/// Whether another process, or another path, has the file.
pub(crate) fn is_open_elsewhere(failure: &Failure) -> bool {
    matches!(failure, Failure::Engine(redb::Error::DatabaseAlreadyOpen))
}

/// Makes the file, so that it is whole once it is there: one that redb has not finished, since the process was killed or the disk was full, is
/// refused ever after.
fn create_if_missing(path: &Path) -> Result<(), Failure> {
    let is_missing =
        path.symlink_metadata().is_err_and(|error| error.kind() == ErrorKind::NotFound);
    let Some(name) = path.file_name().filter(|_| is_missing) else { return Ok(()) };
    let mut new = name.to_owned();
    new.push(format!(".new-{}", new_epoch()?));
    let new = path.with_file_name(new);
    let made = make(&new, path);
    // Where it stays it is in nobody's way.
    drop(fs::remove_file(&new));
    made
}

fn make(new: &Path, path: &Path) -> Result<(), Failure> {
    check_format(&redb::Database::create(new)?)?;
    // It is not where another process was faster, or the file system has no links: redb then makes the file in its place.
    if fs::hard_link(new, path).is_ok() {
        sync_folder_of(path)?;
    }
    Ok(())
}

/// The name of the file is to outlive a loss of power as well.
#[cfg(unix)]
fn sync_folder_of(path: &Path) -> std::io::Result<()> {
    path.parent().map_or(Ok(()), |folder| File::open(folder)?.sync_all())
}

#[cfg(not(unix))]
fn sync_folder_of(_: &Path) -> std::io::Result<()> {
    Ok(())
}
