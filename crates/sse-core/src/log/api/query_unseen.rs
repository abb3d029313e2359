//! Reading on from an id that says what the caller has seen after it.

use std::future::Future;

use crate::id::Origin;
use crate::log::handle::EventLog;
use crate::view::View;
use crate::{Error, EventId, Frame};

impl EventLog {
    /// Reads pages after an id, until one has an event that the caller has not seen, or none follows. Their ids say what it has seen.
    pub(super) async fn unseen<R>(
        &self,
        id: &EventId,
        read: impl Fn(EventId) -> R,
    ) -> Result<Vec<Frame>, Error>
    where
        R: Future<Output = Result<Vec<Frame>, Error>>,
    {
        let Some(view) = View::of(id) else { return read(id.clone()).await };
        let mut after = id.clone();
        loop {
            let mut frames = read(after.clone()).await?;
            let Some(last) = frames.last().and_then(Frame::id) else { return Ok(frames) };
            after = last.clone();
            frames = frames.into_iter().filter_map(|frame| unseen_by(&view, frame)).collect();
            if !frames.is_empty() {
                return Ok(frames);
            }
        }
    }
}

/// Returns the event with the id that a reader of this view has, unless the view sees it.
fn unseen_by(view: &View, frame: Frame) -> Option<Frame> {
    let (epoch, position) = Origin::parse(frame.id()?.as_str())?;
    if !view.reaches(position) {
        return Some(frame);
    }
    (!view.sees(position)).then(|| Frame::of_block(frame.block(), view.id_at(position, epoch)))
}
