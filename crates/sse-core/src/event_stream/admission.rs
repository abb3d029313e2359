//! Whether a stream is let in.

use crate::event_stream::ends::Ends;
use crate::feed::OriginOnce;
use crate::feed::events::Events;
use crate::feed::options::StreamOptions;
use crate::{End, Gap, LastEventId, Timer};

/// The events of a stream, and its ends.
pub(super) type Let = (Events, Option<Box<Ends>>);

/// Starts a feed, unless a limit is met: then its stream has no events. Returns the end and the gap if there is nothing more for this client.
pub(super) fn start(
    origin: OriginOnce,
    last_event_id: LastEventId,
    options: &StreamOptions,
    timer: &Timer,
) -> Result<Let, (End, Option<Gap>)> {
    let Some(limits) = &options.stream_limits else {
        let events = Events::new(origin, last_event_id, options, timer)?;
        return Ok((events, Ends::new(options, timer, None, None)));
    };
    let principal = options.principal.as_ref();
    let limit = match limits.admit(principal) {
        Ok(admitted) => {
            let events = Events::new(origin, last_event_id, options, timer)?;
            // The stream is counted by its log by now.
            match events.limit(limits.most()) {
                None => return Ok((events, Ends::new(options, timer, Some(admitted), None))),
                Some(limit) => limit,
            }
        }
        Err(limit) => limit,
    };
    let load = limits.refuse(limit, principal, timer.now());
    Ok((Events::Refused, Ends::new(options, timer, None, Some((limit, load)))))
}
