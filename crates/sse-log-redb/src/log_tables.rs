use std::sync::Arc;

use redb::{TableDefinition, WriteTransaction};
use sse_core::store::{EncodedEvent, Retention, StoredEvent, Topics};

use crate::clock::Time;
use crate::error::Failure;
use crate::events::{EventRow, RowBuilder};
use crate::idempotency::IdempotencyKeys;
use crate::open_logs::{Events, OpenLog};
use crate::row_topics::{self, RowTopics};
use crate::tables::Head;
use crate::topics::TopicIndex;

/// Tables of a log in a write transaction. Each table is opened when it is first needed and stays open to the end of the transaction, since opening a
/// table costs as much as storing some events.
pub(crate) struct LogTables<'t> {
    txn: &'t WriteTransaction,
    pub(crate) open_log: Arc<OpenLog>,
    pub(crate) head: Head,
    events: redb::Table<'t, u64, EventRow>,
    /// Newest events, not yet in a row.
    pack: Option<RowBuilder>,
    keys: Option<redb::Table<'t, &'static str, u64>>,
    idempotency_keys: Option<IdempotencyKeys<'t>>,
    topics: Option<TopicIndex<'t>>,
    pub(crate) time: Time,
    /// Limits that the last append gave, and the number of events added.
    pub(crate) retention: Option<Retention>,
    pub(crate) added: usize,
    /// Events for the followers, if only events were added.
    pub(crate) new_events: Option<Events>,
    /// True if idempotency keys were removed, which the head does not show.
    pub(crate) has_removed_keys: bool,
}

impl<'t> LogTables<'t> {
    pub(crate) fn open(
        txn: &'t WriteTransaction,
        open_log: &Arc<OpenLog>,
        head: Head,
        time: Time,
    ) -> Result<Self, Failure> {
        Ok(Self {
            txn,
            open_log: Arc::clone(open_log),
            events: txn.open_table(TableDefinition::new(&open_log.tables.events))?,
            pack: None,
            keys: None,
            idempotency_keys: None,
            topics: None,
            time,
            retention: None,
            added: 0,
            new_events: open_log.is_followed().then(Events::new),
            has_removed_keys: false,
            head,
        })
    }

    /// Returns the table of the newest event of each key.
    pub(crate) fn keys(&mut self) -> Result<&mut redb::Table<'t, &'static str, u64>, Failure> {
        let keys = match self.keys.take() {
            Some(keys) => keys,
            None => self.txn.open_table(TableDefinition::new(&self.open_log.tables.keys))?,
        };
        Ok(self.keys.insert(keys))
    }

    /// Returns the idempotency keys.
    pub(crate) fn idempotency_keys(&mut self) -> Result<&mut IdempotencyKeys<'t>, Failure> {
        let idempotency_keys = match self.idempotency_keys.take() {
            Some(idempotency_keys) => idempotency_keys,
            None => IdempotencyKeys::open(self.txn, &self.open_log)?,
        };
        Ok(self.idempotency_keys.insert(idempotency_keys))
    }

    /// Returns the index by topic.
    pub(crate) fn topics(&mut self) -> Result<&mut TopicIndex<'t>, Failure> {
        let topics = match self.topics.take() {
            Some(topics) => topics,
            None => TopicIndex::open(self.txn, &self.open_log.tables)?,
        };
        Ok(self.topics.insert(topics))
    }

    /// Reads again which idempotency keys are of earlier epochs: a new epoch begins.
    pub(crate) fn reset_idempotency_keys(&mut self) {
        self.idempotency_keys = None;
    }

    pub(crate) fn add_new_event(&mut self, event: impl FnOnce() -> StoredEvent) {
        if let Some(new_events) = &mut self.new_events {
            new_events.push(event());
        }
    }

    /// Adds an event, and returns its position.
    pub(crate) fn push(&mut self, event: &EncodedEvent) -> Result<u64, Failure> {
        let (key, block) = (event.key.as_deref(), &*event.block);
        let position = self.head.newest + 1;
        let time = self.time.now;
        if !event.topics.is_empty() {
            self.add_topics(position, &event.topics)?;
        }
        let topics = row_topics::encode(&event.topics);
        let topics = RowTopics(&topics);
        if key.is_some() || !self.pack.as_ref().is_some_and(|pack| pack.has_room_for(topics, block))
        {
            self.flush()?;
        }
        self.pack.get_or_insert_with(|| RowBuilder::at(position)).push(topics, block);
        self.head.newest = position;
        self.head.events += 1;
        self.head.bytes += block.len() as u64;
        self.added += 1;
        if let Some(key) = key
            && let Some(pack) = self.pack.take()
        {
            pack.write(&mut self.events, time, Some(key))?;
            let older = self.keys()?.insert(key, position)?.map(|older| older.value());
            if let Some(older) = older {
                self.remove(older)?;
            }
        }
        Ok(position)
    }

    /// Adds the next event to the index, and ends the run of events without topics before it.
    fn add_topics(&mut self, position: u64, topics: &Topics) -> Result<(), Failure> {
        let run = (self.head.newest_with_topics + 1, self.head.newest);
        // Events that are not in a row yet are the newest, and were not removed.
        if run.0 <= run.1 && (self.pack.is_some() || self.has_any(run)?) {
            self.topics()?.add_run(run)?;
        }
        self.topics()?.add(position, topics)?;
        self.head.newest_with_topics = position;
        Ok(())
    }

    /// Returns the table of events, after all events were written to it.
    pub(crate) fn events(&mut self) -> Result<&mut redb::Table<'t, u64, EventRow>, Failure> {
        self.flush()?;
        Ok(&mut self.events)
    }

    fn flush(&mut self) -> Result<(), Failure> {
        self.pack.take().map_or(Ok(()), |pack| pack.write(&mut self.events, self.time.now, None))
    }
}
