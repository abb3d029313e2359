//! The gap of a client, looked for before its response begins.

use std::sync::Arc;

use futures_util::future::join_all;

use crate::feed::{FeedOnce, Origin, OriginOnce};
use crate::log::Selection;
use crate::merge::Given;
use crate::{Error, Gap, LastEventId, Start, StreamRequest};

/// The logs of a client, and where it goes on in each. It borrows nothing: the closure of a feed cannot be shared between threads.
pub(crate) struct Lookup(Vec<(Option<Arc<str>>, Selection, LastEventId, Start)>);

impl FeedOnce {
    /// Returns what to look up for this client, if a gap is the end of its stream.
    pub(crate) fn lookup(&self, request: &StreamRequest) -> Option<Lookup> {
        let options = self.chosen()?;
        options.on_gap.status()?;
        let given = request.last_event_id(&options.last_event_id_parameter);
        let start = options.start.clone();
        Some(Lookup(match self.origin()? {
            OriginOnce::Many(Origin::Log(selection)) => {
                vec![(None, selection.clone(), given, start)]
            }
            OriginOnce::Many(Origin::Merge(logs)) => {
                let (given, start) = match (given, start) {
                    (LastEventId::Absent, Start::After(id)) => (LastEventId::Id(id), Start::Live),
                    (given, start) => (given, start),
                };
                let given = Given::of(&given, logs);
                let of = |(name, selection): &(Arc<str>, Selection)| {
                    (Some(name.clone()), selection.clone(), given.to(name), start.clone())
                };
                logs.iter().map(of).collect()
            }
            OriginOnce::Many(Origin::Source(_)) | OriginOnce::Context(..) => return None,
        }))
    }
}

impl Lookup {
    /// Returns the gap in one of the logs, if there is one. If this process cannot tell, it asks the store.
    pub(crate) async fn gap(self) -> Option<Gap> {
        let gaps = self.0.into_iter().map(|(name, selection, given, start)| async move {
            let gap = selection.find_gap(&given, &start).await?;
            Some(Gap { log: name, ..gap })
        });
        join_all(gaps).await.into_iter().flatten().next()
    }
}

impl Selection {
    /// Returns the gap of a client that comes with this id, or begins at this start.
    async fn find_gap(&self, given: &LastEventId, start: &Start) -> Option<Gap> {
        let found = match (given, start) {
            (LastEventId::Id(id), _) | (LastEventId::Absent, Start::After(id)) => {
                self.log.locate(id).await.map(drop)
            }
            (LastEventId::Absent, Start::Skip(count)) => match &self.topics {
                Some(topics) => self.log.skip_in(topics, *count).await.map(drop),
                None => self.log.skip(*count).await.map(drop),
            },
            // The response begins with it in any case.
            (LastEventId::Absent | LastEventId::Unusable, _) => Ok(()),
        };
        found.err().as_ref().and_then(Error::gap).cloned()
    }
}
