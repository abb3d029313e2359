use std::fs::{File, OpenOptions};
use std::path::Path;

use redb::backends::FileBackend;
use redb::{Builder, ReadableDatabase, TableError};

use crate::failure::{Failure, guarded};
use crate::identity::Identity;
use crate::tables::FILE;
use crate::{EngineOptions, create};

/// The version of the tables in a file.
const FORMAT: u64 = 2;

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
    let opened = guarded(|| {
        if if_missing == IfMissing::Make {
            create::if_missing(path)?;
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
        failure if is_taken(&failure) => failure,
        failure => named(path, &failure.to_string()),
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

pub(crate) fn named(path: &Path, reason: &str) -> Failure {
    Failure::Refused(format!("the event log {} cannot be opened: {reason}", path.display()))
}

/// Whether the file is ours; one without any tables is from now on.
pub(crate) fn check_format(database: &redb::Database) -> Result<(), Failure> {
    let txn = database.begin_read()?;
    match txn.open_table(FILE) {
        Ok(table) => match table.get("format")?.map(|format| format.value()) {
            Some(FORMAT) => Ok(()),
            Some(format) => Err(Failure::Refused(format!(
                "its format is {format}, and this version of sse-log-redb knows {FORMAT}: take the version that wrote it"
            ))),
            None => Err(Failure::Refused("it says no format: it is not whole".into())),
        },
        Err(TableError::TableDoesNotExist(_)) => {
            if txn.list_tables()?.next().is_some() || txn.list_multimap_tables()?.next().is_some() {
                return Err(Failure::Refused("it is a redb file of something else".into()));
            }
            let txn = database.begin_write()?;
            txn.open_table(FILE)?.insert("format", FORMAT)?;
            txn.commit()?;
            Ok(())
        }
        Err(error) => Err(error.into()),
    }
}

/// Whether another process, or another path, has the file.
pub(crate) fn is_taken(failure: &Failure) -> bool {
    matches!(failure, Failure::Engine(redb::Error::DatabaseAlreadyOpen))
}
