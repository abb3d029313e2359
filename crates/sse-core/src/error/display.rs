//! The text of an error, and its source.

use std::error::Error as StdError;
use std::fmt;

use crate::error::{Error, Kind};

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &*self.0 {
            Kind::Json(_) => write!(f, "the value has no JSON"),
            Kind::InvalidEvent(reason) => write!(f, "the event log refused the event: {reason}"),
            Kind::InvalidMerge(reason) => write!(f, "these logs cannot be merged: {reason}"),
            Kind::TooLarge { size, limit } => write!(
                f,
                "the event log refused the event: {size} bytes when encoded, and `largest_event` allows {limit}"
            ),
            Kind::Finished => write!(f, "the event log refused the event: it is finished"),
            Kind::Gap(gap) => gap.fmt(f),
            Kind::Source { during, .. } => {
                write!(f, "the source of the stream failed while {during}")
            }
            Kind::Overflow { events, bytes } => write!(
                f,
                "more than {events} events or {bytes} bytes were published while a client caught up: its response ends, \
                 and it comes back for the rest"
            ),
            Kind::QueueFull { events, bytes } => write!(
                f,
                "the event log refused the event: {events} events or {bytes} bytes wait to be stored already; add it later, or await `append`"
            ),
            Kind::NoRandomness(_) => {
                write!(
                    f,
                    "the system has no random numbers, of which the epoch of an event log is made"
                )
            }
            Kind::Store { during, may_have_happened: false, .. } => {
                write!(f, "the store of the event log failed while {during}")
            }
            Kind::Store { during, .. } => {
                write!(
                    f,
                    "the store of the event log failed while {during}: whether it was done is not known"
                )
            }
        }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match &*self.0 {
            Kind::Json(error) => Some(error),
            Kind::Source { error, .. } => Some(&**error),
            Kind::Store { error, .. } => Some(error),
            Kind::NoRandomness(error) => Some(error),
            _ => None,
        }
    }
}
