//! The record of a log, which has all of its state except the events. It is one message, replaced by compare and set.

use std::collections::BTreeSet;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use sse_core::store::StoreError;
use sse_core::{Epoch, Position};

use crate::jetstream::{GetAnswer, Info};

pub(crate) mod hidden;
pub(crate) mod storage;

/// The format of records and of the messages of their logs. In the first, which had no number, hidden events were a list of pairs. In the second no
/// message had topics: an older version would skip those on the subjects of topics. The messages of both are valid, and their events have no topics.
pub(crate) const FORMAT: u32 = 3;
/// The format of a log that was to be finished with its last events: versions that know only the third would skip them.
pub(crate) const WITH_LAST: u32 = 4;
/// Largest number of deleted events of batches that a log hides.
pub(crate) const MOST_HIDDEN: usize = 10_000;

/// The record of a log, and its revision.
#[derive(Debug, Clone)]
pub(crate) struct Record {
    /// The format in which it was written, and the lowest in which it is written again.
    pub(crate) format: u32,
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

/// The part of a record that is of use when it is notified, and that each format has.
#[derive(Debug)]
pub(crate) struct Notified {
    pub(crate) floor: Position,
    pub(crate) hidden: BTreeSet<Position>,
}

#[derive(Deserialize)]
struct Format {
    #[serde(default)]
    format: u32,
}

#[derive(Serialize, Deserialize)]
struct RecordJson {
    #[serde(default)]
    format: u32,
    epoch: String,
    created: String,
    floor: (u64, u64),
    #[serde(default)]
    newest: u64,
    deletions: u64,
    #[serde(default)]
    hidden: Hidden,
}

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Hidden {
    Text(String),
    Pairs(Vec<(u64, u64)>),
}

impl Hidden {
    fn positions(self) -> Option<BTreeSet<Position>> {
        match self {
            // Events that are being deleted are hidden for a moment, too.
            Self::Text(text) => hidden::from_text(&text, 2 * MOST_HIDDEN),
            Self::Pairs(pairs) => {
                Some(pairs.into_iter().map(|(hi, lo)| Position::new(hi, lo)).collect())
            }
        }
    }
}

impl Notified {
    /// Returns the events that this record hides, and its floor; `None` if it is invalid, or of a later format.
    pub(crate) fn parse(record: &[u8]) -> Option<Self> {
        let record: RecordJson = serde_json::from_slice(record).ok()?;
        let floor = Position::new(record.floor.0, record.floor.1);
        let hidden = (record.format <= WITH_LAST).then_some(record.hidden)?.positions()?;
        Some(Self { floor, hidden })
    }
}

impl Default for Hidden {
    fn default() -> Self {
        Self::Text(String::new())
    }
}

impl Record {
    /// Returns the first record of a stream, or the first of a new epoch.
    pub(crate) fn begin(info: &Info, before: Option<&Self>) -> Result<Self, StoreError> {
        let same = before.filter(|record| record.created == info.created);
        let floor = same.map(|record| record.floor).filter(|floor| *floor <= info.newest());
        Ok(Self {
            format: before.map_or(FORMAT, |record| record.format.max(FORMAT)),
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

    pub(crate) fn to_json(&self) -> Result<Bytes, StoreError> {
        let written = RecordJson {
            format: self.format.max(FORMAT),
            epoch: self.epoch.to_string(),
            created: self.created.clone(),
            floor: (self.floor.hi(), self.floor.lo()),
            newest: self.newest,
            deletions: self.deletions,
            hidden: Hidden::Text(hidden::to_text(&self.hidden)),
        };
        Ok(serde_json::to_vec(&written).map_err(StoreError::failed)?.into())
    }

    pub(crate) fn from_message(got: &GetAnswer) -> Result<Self, StoreError> {
        let json = STANDARD.decode(&got.message.data).map_err(StoreError::failed)?;
        let Format { format } = serde_json::from_slice(&json).map_err(StoreError::failed)?;
        if format > WITH_LAST {
            return Err(StoreError::failed(format!(
                "the log was written by a later version of sse-log-nats, in format {format}, and this version reads formats up to {WITH_LAST}: upgrade sse-log-nats"
            )));
        }
        let written: RecordJson = serde_json::from_slice(&json).map_err(StoreError::failed)?;
        let invalid = "the record of the log is invalid: its hidden events cannot be read";
        let hidden = written.hidden.positions().ok_or_else(|| StoreError::failed(invalid))?;
        Ok(Self {
            format,
            epoch: written.epoch.parse().map_err(StoreError::failed)?,
            created: written.created,
            floor: Position::new(written.floor.0, written.floor.1),
            newest: written.newest,
            deletions: written.deletions,
            hidden,
            revision: got.message.seq,
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(record: &str) -> Result<Record, StoreError> {
        let got = json!({ "message": { "subject": "sse-meta.log", "seq": 7, "data": STANDARD.encode(record) } });
        Record::from_message(&serde_json::from_value(got).expect("an answer"))
    }

    #[test]
    fn a_record_of_each_format_is_read_and_written_in_the_third_or_its_own() {
        let records = [
            (include_str!("record/format-1.json"), 0, 3),
            (include_str!("record/format-2.json"), 2, 3),
            (include_str!("record/format-4.json"), 4, 4),
        ];
        for (earlier, format, written_in) in records {
            let record = read(earlier).expect("a record");
            let hidden = [Position::new(41, 2), Position::new(41, 3), Position::new(42, 0)];
            assert_eq!((record.format, &record.hidden), (format, &BTreeSet::from(hidden)));
            assert_eq!((record.floor, record.newest), (Position::new(3, 0), 99));
            assert_eq!(record.deletions, 5);
            let written = record.to_json().expect("JSON").to_vec();
            let written = String::from_utf8(written).expect("UTF-8");
            assert!(written.starts_with(&format!("{{\"format\":{written_in},")), "{written}");
            assert_eq!(read(&written).expect("a record").hidden, record.hidden);
        }
    }

    #[test]
    fn a_record_of_a_later_format_is_refused_by_name() {
        let refused =
            format!("{:?}", read(r#"{"format":5,"anything":[]}"#).expect_err("it is later"));
        assert!(
            refused.contains("format 5") && refused.contains("upgrade sse-log-nats"),
            "{refused}"
        );
    }
}
