//! The record of a log, which has all of its state except the events. It is one message, replaced by compare and set.

use std::collections::BTreeSet;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use sse_core::store::{StoreError, StoredEvent};
use sse_core::{Epoch, Position};

use crate::jetstream::{GetAnswer, Info};

pub(crate) mod storage;

/// The record of a log, and its revision.
#[derive(Debug, Clone)]
pub(crate) struct Record {
    pub(crate) epoch: Epoch,
    /// The time at which its stream was created.
    pub(crate) created: String,
    pub(crate) floor: Position,
    /// The newest message when this was written. A stream with fewer messages was restored, or has lost some.
    pub(crate) newest: u64,
    pub(crate) deletions: u64,
    /// The deleted events of messages that have other events.
    pub(crate) hidden: BTreeSet<Position>,
    /// The sequence of its message, which changes with each write.
    pub(crate) revision: u64,
}

#[derive(Serialize, Deserialize)]
struct RecordJson {
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
    /// Returns the first record of a stream, or the first of a new epoch.
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

    /// Raises the floor. Returns false if it was as high already.
    pub(crate) fn raise_floor(&mut self, floor: Position) -> bool {
        let rises = floor > self.floor;
        if rises {
            self.floor = floor;
            self.hidden.retain(|hidden| *hidden > floor);
        }
        rises
    }

    /// Returns the events that are not hidden.
    pub(crate) fn without_hidden(
        &self,
        events: impl Iterator<Item = StoredEvent>,
    ) -> impl Iterator<Item = StoredEvent> {
        events.filter(|event| !self.hidden.contains(&event.position))
    }

    pub(crate) fn to_json(&self) -> Result<Bytes, StoreError> {
        let written = RecordJson {
            epoch: self.epoch.to_string(),
            created: self.created.clone(),
            floor: (self.floor.hi(), self.floor.lo()),
            newest: self.newest,
            deletions: self.deletions,
            hidden: self.hidden.iter().map(|position| (position.hi(), position.lo())).collect(),
        };
        Ok(serde_json::to_vec(&written).map_err(StoreError::failed)?.into())
    }

    pub(crate) fn from_message(got: &GetAnswer) -> Result<Self, StoreError> {
        let json = STANDARD.decode(&got.message.data).map_err(StoreError::failed)?;
        let written: RecordJson = serde_json::from_slice(&json).map_err(StoreError::failed)?;
        Ok(Self {
            epoch: written.epoch.parse().map_err(StoreError::failed)?,
            created: written.created,
            floor: Position::new(written.floor.0, written.floor.1),
            newest: written.newest,
            deletions: written.deletions,
            hidden: written.hidden.into_iter().map(|(hi, lo)| Position::new(hi, lo)).collect(),
            revision: got.message.seq,
        })
    }
}
