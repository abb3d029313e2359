//! Format of a file: the version of its tables.

use redb::{ReadableDatabase, TableError};

use crate::error::Failure;
use crate::tables::FILE;

/// Version of the tables that this crate reads and writes.
const FORMAT: u64 = 2;

/// Checks that the file has this format. A file without tables gets it.
pub(crate) fn check_format(database: &redb::Database) -> Result<(), Failure> {
    let txn = database.begin_read()?;
    match txn.open_table(FILE) {
        Ok(table) => match table.get("format")?.map(|format| format.value()) {
            Some(FORMAT) => Ok(()),
            Some(format) => Err(Failure::Refused(format!(
                "its format is {format}, and this version of sse-log-redb reads {FORMAT}: use the version that wrote the file"
            ))),
            None => Err(Failure::Refused("it has no format number: it is incomplete".into())),
        },
        Err(TableError::TableDoesNotExist(_)) => {
            if txn.list_tables()?.next().is_some() || txn.list_multimap_tables()?.next().is_some() {
                return Err(Failure::Refused(
                    "it is a redb file of another application: use another path".into(),
                ));
            }
            let txn = database.begin_write()?;
            txn.open_table(FILE)?.insert("format", FORMAT)?;
            txn.commit()?;
            Ok(())
        }
        Err(error) => Err(error.into()),
    }
}
