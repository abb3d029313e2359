//! What there is to know of a log beside its events: one message, replaced by compare and set.

use std::collections::BTreeSet;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use sse_core::store::{StoreError, StoredEvent};
use sse_core::{Cursor, Epoch};

use crate::jetstream::{GetAnswer, Info};

pub(crate) mod storage;

/// The record of a log, and its revision.
#[derive(Debug, Clone)]
pub(crate) struct Record {
    pub(crate) epoch: Epoch,
    /// When the stream was created that it is of.
    pub(crate) created: String,
    pub(crate) floor: Cursor,
    /// The newest message when this was written. A stream that has fewer was restored, or has lost some.
    pub(crate) newest: u64,
    pub(crate) deletions: u64,
    /// Deleted events in messages that have others.
    pub(crate) hidden: BTreeSet<Cursor>,
    /// A number that changes whenever it is written.
    pub(crate) revision: u64,
}

#[derive(Serialize, Deserialize)]
struct Written {
    epoch: String,
    created: String,
    floor: (u64, u64),
    #[serde(default)]
    newest: u64,
    deletions: u64,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    hidden: Vec<(u64, u64)>,
}

impl Record {
    /// The record of a stream that has none, or of another life of it.
    pub(crate) fn begin(info: &Info, before: Option<&Self>) -> Result<Self, StoreError> {
        let same = before.filter(|record| record.created == info.created);
        let floor = same.map(|record| record.floor).filter(|floor| *floor <= info.newest());
        Ok(Self {
            epoch: Epoch::random()?,
            created: info.created.clone(),
            floor: floor.unwrap_or_else(|| info.before_first()),
            newest: info.state.last_seq,
            deletions: before.map_or(0, |record| record.deletions.wrapping_add(1)),
            hidden: same.map(|record| record.hidden.clone()).unwrap_or_default(),
            revision: before.map_or(0, |record| record.revision),
        })
    }

    /// Whether it was lower.
    pub(crate) fn raise_floor(&mut self, floor: Cursor) -> bool {
        let rises = floor > self.floor;
        if rises {
            self.floor = floor;
            self.hidden.retain(|hidden| *hidden > floor);
        }
        rises
    }

    /// Those of these events that are not hidden.
    pub(crate) fn without_hidden(
        &self,
        events: impl Iterator<Item = StoredEvent>,
    ) -> impl Iterator<Item = StoredEvent> {
        events.filter(|event| !self.hidden.contains(&event.cursor))
    }

    pub(crate) fn to_json(&self) -> Result<Bytes, StoreError> {
        let written = Written {
            epoch: self.epoch.to_string(),
            created: self.created.clone(),
            floor: (self.floor.hi(), self.floor.lo()),
            newest: self.newest,
            deletions: self.deletions,
            hidden: self.hidden.iter().map(|cursor| (cursor.hi(), cursor.lo())).collect(),
        };
        Ok(serde_json::to_vec(&written).map_err(StoreError::failed)?.into())
    }

    pub(crate) fn from_message(got: &GetAnswer) -> Result<Self, StoreError> {
        let json = STANDARD.decode(&got.message.data).map_err(StoreError::failed)?;
        let written: Written = serde_json::from_slice(&json).map_err(StoreError::failed)?;
        Ok(Self {
            epoch: written.epoch.parse().map_err(StoreError::failed)?,
            created: written.created,
            floor: Cursor::new(written.floor.0, written.floor.1),
            newest: written.newest,
            deletions: written.deletions,
            hidden: written.hidden.into_iter().map(|(hi, lo)| Cursor::new(hi, lo)).collect(),
            revision: got.message.seq,
        })
    }
}
