use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use crate::failure::{Failure, new_epoch};
use crate::opening::check_format;

/// Makes the file, so that it is whole once it is there: one that redb has not finished, since the process was killed or the disk was full, is
/// refused ever after.
pub(crate) fn if_missing(path: &Path) -> Result<(), Failure> {
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
    path.parent().map_or(Ok(()), |folder| fs::File::open(folder)?.sync_all())
}

#[cfg(not(unix))]
fn sync_folder_of(_: &Path) -> std::io::Result<()> {
    Ok(())
}
