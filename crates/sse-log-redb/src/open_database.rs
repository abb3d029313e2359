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

/// Action if the file is missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum IfMissing {
    Create,
    Fail,
}

/// Opens the file, and returns its identity. Another file that gets its path a moment later has no effect.
pub(crate) fn open(
    path: &Path,
    options: &EngineOptions,
    if_missing: IfMissing,
) -> Result<(redb::Database, Identity), Failure> {
    let opened = catch_panic(|| {
        if if_missing == IfMissing::Create {
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
        // The other process may close the file soon.
        failure if is_open_elsewhere(&failure) => failure,
        failure => cannot_open(path, &failure.to_string()),
    })
}

fn file(path: &Path, if_missing: IfMissing) -> Result<File, Failure> {
    let make = if_missing == IfMissing::Create;
    let file = OpenOptions::new().read(true).write(true).create(make).truncate(false).open(path)?;
    if !make && file.metadata()?.len() == 0 {
        return Err(Failure::Refused("the file is empty".into()));
    }
    Ok(file)
}

pub(crate) fn cannot_open(path: &Path, reason: &str) -> Failure {
    Failure::Refused(format!("opening the file of event logs {} failed: {reason}", path.display()))
}

/// Returns true if another process has the file open, or this one by another path.
pub(crate) fn is_open_elsewhere(failure: &Failure) -> bool {
    matches!(failure, Failure::Engine(redb::Error::DatabaseAlreadyOpen))
}

/// Creates the file complete, under another name first. redb refuses an incomplete file forever, and a killed process or a full disk would leave such
/// a file.
fn create_if_missing(path: &Path) -> Result<(), Failure> {
    let is_missing =
        path.symlink_metadata().is_err_and(|error| error.kind() == ErrorKind::NotFound);
    let Some(name) = path.file_name().filter(|_| is_missing) else { return Ok(()) };
    let mut new = name.to_owned();
    new.push(format!(".new-{}", new_epoch()?));
    let new = path.with_file_name(new);
    let made = make(&new, path);
    // If the file cannot be removed, it does no harm.
    drop(fs::remove_file(&new));
    made
}

fn make(new: &Path, path: &Path) -> Result<(), Failure> {
    check_format(&redb::Database::create(new)?)?;
    // The link fails if another process was faster, or if the file system has no links; redb then creates the file at its path.
    if fs::hard_link(new, path).is_ok() {
        sync_folder_of(path)?;
    }
    Ok(())
}

/// Makes the name of the file survive a loss of power.
#[cfg(unix)]
fn sync_folder_of(path: &Path) -> std::io::Result<()> {
    path.parent().map_or(Ok(()), |folder| File::open(folder)?.sync_all())
}

#[cfg(not(unix))]
fn sync_folder_of(_: &Path) -> std::io::Result<()> {
    Ok(())
}
