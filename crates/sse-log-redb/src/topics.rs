//! Index of the events by topic. It is written in the transaction of the events.

use redb::{ReadTransaction, ReadableTable, TableDefinition, WriteTransaction};
use sse_core::store::Topics;

use crate::error::Failure;
use crate::names::TableNames;
use crate::row_topics::RowTopics;

/// Key of an entry of the index: a part of the log, a topic, and the place of an event in the part. All entries of a part are neighbours, so a
/// transaction changes few pages, and retention drops neighbours.
pub(crate) type EntryKey = (u64, &'static str, u16);

/// Number of positions in a part.
pub(crate) const PART: u64 = 16_384;

/// Largest number of entries that retention removes for each event that it drops: twice as many as an event can have, so that it catches up.
const REMOVED_WITH_EACH: u64 = 2 * Topics::MAX as u64;

/// Returns the part of a position, and the place in it.
pub(crate) fn place(position: u64) -> (u64, u16) {
    // The rest is less than `PART`, which fits.
    (position / PART, (position % PART) as u16)
}

/// Index of a log in a write transaction.
///
/// Events without topics have no entries, so that they cost nothing. Positions at which only such events were appended are a run: the row of a run is
/// written with the event that ends it, which has topics. The run after the newest event with topics has no row.
pub(crate) struct TopicIndex<'t> {
    entries: redb::Table<'t, EntryKey, ()>,
    /// Runs: the last position, and the first.
    runs: redb::Table<'t, u64, u64>,
}

impl<'t> TopicIndex<'t> {
    pub(crate) fn open(txn: &'t WriteTransaction, tables: &TableNames) -> Result<Self, Failure> {
        Ok(Self {
            entries: txn.open_table(TableDefinition::new(&tables.topics))?,
            runs: txn.open_table(TableDefinition::new(&tables.runs))?,
        })
    }

    pub(crate) fn add(&mut self, position: u64, topics: &Topics) -> Result<(), Failure> {
        let (part, place) = place(position);
        for topic in topics.iter() {
            self.entries.insert((part, topic.as_str(), place), ())?;
        }
        Ok(())
    }

    pub(crate) fn remove(&mut self, position: u64, topics: RowTopics<'_>) -> Result<(), Failure> {
        let (part, place) = place(position);
        for topic in topics.texts() {
            self.entries.remove((part, topic?, place))?;
        }
        Ok(())
    }

    /// Adds the run of these positions.
    pub(crate) fn add_run(&mut self, (first, last): (u64, u64)) -> Result<(), Failure> {
        self.runs.insert(last, first)?;
        Ok(())
    }

    /// Returns the first and the last position of the run that has this position.
    pub(crate) fn run_of(&self, position: u64) -> Result<Option<(u64, u64)>, Failure> {
        let Some(run) = self.runs.range(position..)?.next().transpose()? else { return Ok(None) };
        let (last, first) = (run.0.value(), run.1.value());
        Ok((first <= position).then_some((first, last)))
    }

    pub(crate) fn remove_run(&mut self, (_, last): (u64, u64)) -> Result<(), Failure> {
        self.runs.remove(last)?;
        Ok(())
    }

    /// Removes entries and runs that are up to this position, after retention has dropped this many events. It removes entries of whole parts alone, and
    /// not all at once: so it changes few pages, and an append does not wait for long.
    pub(crate) fn drop_until(&mut self, floor: u64, dropped: u64) -> Result<(), Failure> {
        let (part, _) = place(floor.saturating_add(1));
        for _ in 0..dropped.saturating_mul(REMOVED_WITH_EACH) {
            let first = self.entries.first()?.map(|(key, _)| key.value().0);
            if first.is_none_or(|first| first >= part) {
                break;
            }
            self.entries.pop_first()?;
        }
        // Each run had an event until now, so these runs are no more than the events that were dropped.
        while self.runs.first()?.is_some_and(|(last, _)| last.value() <= floor) {
            self.runs.pop_first()?;
        }
        Ok(())
    }
}

/// Index of a log in a read transaction.
pub(crate) struct TopicView {
    entries: redb::ReadOnlyTable<EntryKey, ()>,
    runs: redb::ReadOnlyTable<u64, u64>,
}

impl TopicView {
    pub(crate) fn open(txn: &ReadTransaction, tables: &TableNames) -> Result<Self, Failure> {
        Ok(Self {
            entries: txn.open_table(TableDefinition::new(&tables.topics))?,
            runs: txn.open_table(TableDefinition::new(&tables.runs))?,
        })
    }

    /// Returns the positions of the events of a topic from the first to the last position, at most so many. Both positions are in the same part.
    pub(crate) fn of_topic(
        &self,
        topic: &str,
        (first, last): (u64, u64),
        at_most: usize,
    ) -> Result<Vec<(u64, u64)>, Failure> {
        let ((part, from), (_, to)) = (place(first), place(last));
        let entries = self.entries.range((part, topic, from)..=(part, topic, to))?.take(at_most);
        let mut positions = Vec::new();
        for entry in entries {
            let position = part * PART + u64::from(entry?.0.value().2);
            positions.push((position, position));
        }
        Ok(positions)
    }

    /// Returns the runs that have positions from the first to the last, at most so many, and of each these positions alone.
    pub(crate) fn runs(
        &self,
        (first, last): (u64, u64),
        at_most: usize,
    ) -> Result<Vec<(u64, u64)>, Failure> {
        let mut runs = Vec::new();
        for run in self.runs.range(first..)?.take(at_most) {
            let run = run?;
            let (begin, end) = (run.1.value().max(first), run.0.value().min(last));
            if begin > end {
                break;
            }
            runs.push((begin, end));
        }
        Ok(runs)
    }
}
