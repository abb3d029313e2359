//! The format of a file: the version of its tables.

use redb::{ReadableDatabase, TableError};

use crate::error::Failure;
use crate::tables::FILE;

/// The version of the tables in a file.
const FORMAT: u64 = 2;

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
