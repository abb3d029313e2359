//! Format of a file: the version of its tables.

use redb::{ReadableDatabase, ReadableTable, TableDefinition, TableError};

use crate::error::Failure;
use crate::tables::{FILE, HEADS};

/// Version of the tables that this crate reads and writes.
const FORMAT: u64 = 3;
/// Version before events had topics. Its rows of events are valid: they have no topics. Its heads lack the newest position with topics.
const WITHOUT_TOPICS: u64 = 2;
/// State of a log in that version.
type EarlierHead = (&'static str, u64, u64, u64, u64, u64, bool);

/// Checks that the file has this format. A file without tables gets it, and a file of the version before is changed to it.
pub(crate) fn check_format(database: &redb::Database) -> Result<(), Failure> {
    let txn = database.begin_read()?;
    match txn.open_table(FILE) {
        Ok(table) => match table.get("format")?.map(|format| format.value()) {
            Some(FORMAT) => Ok(()),
            Some(WITHOUT_TOPICS) => add_topics(database),
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

/// Changes the heads to this format, in one transaction.
fn add_topics(database: &redb::Database) -> Result<(), Failure> {
    let txn = database.begin_write()?;
    let definition = TableDefinition::<&str, EarlierHead>::new("heads");
    let mut earlier = Vec::new();
    for head in txn.open_table(definition)?.iter()? {
        let (log, head) = head?;
        let (epoch, floor, newest, events, bytes, deletions, is_finished) = head.value();
        let numbers = (floor, newest, events, bytes, deletions, is_finished);
        earlier.push((log.value().to_owned(), epoch.to_owned(), numbers));
    }
    txn.delete_table(definition)?;
    let mut heads = txn.open_table(HEADS)?;
    for (log, epoch, (floor, newest, events, bytes, deletions, is_finished)) in earlier {
        let head = (&*epoch, floor, newest, events, bytes, deletions, is_finished, 0);
        heads.insert(&*log, head)?;
    }
    drop(heads);
    txn.open_table(FILE)?.insert("format", FORMAT)?;
    txn.commit()?;
    Ok(())
}
