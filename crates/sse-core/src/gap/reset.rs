use serde::Serialize;

use crate::{Event, EventId, EventType, Frame, Gap, GapReason};

impl Gap {
    /// Returns the `reset` event without an id: a client that is cut off after it comes back to the same gap.
    pub(crate) fn to_frame_without_id(&self) -> Frame {
        Frame::from(Event { id: None, ..self.to_event() })
    }

    /// Returns the `reset` event, which tells a client of the gap.
    pub(crate) fn to_event(&self) -> Event {
        const RESET: EventType = EventType::from_static("reset");

        #[derive(Serialize)]
        struct Reset<'a> {
            reason: GapReason,
            oldest: Option<&'a str>,
            newest: Option<&'a str>,
            #[serde(skip_serializing_if = "Option::is_none")]
            log: Option<&'a str>,
        }
        let data = Reset {
            reason: self.reason,
            oldest: self.oldest.as_ref().map(EventId::as_str),
            newest: self.newest.as_ref().map(EventId::as_str),
            log: self.log.as_deref(),
        };
        let event = Event::json(&data).expect("texts have a JSON form").event_type(RESET);
        Event { id: self.restart.clone(), ..event }
    }
}
