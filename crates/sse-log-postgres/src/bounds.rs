use sse_core::Position;
use sse_core::store::{Bounds, PageLimit};

use crate::core::LogCore;
use crate::error::Failure;
use crate::read;

/// Returns the bounds of the log. It opens the log if that is necessary.
pub(crate) async fn bounds(log: &LogCore) -> Result<Bounds, Failure> {
    let no_events = PageLimit { events: 0, bytes: 0 };
    Ok(read::read(log, Position::MAX, no_events).await?.bounds)
}

/// Opens the log, and learns its time, unless this process knows the time already.
pub(crate) async fn ensure_open(log: &LogCore) -> Result<(), Failure> {
    if log.now().is_none() {
        bounds(log).await?;
    }
    Ok(())
}
