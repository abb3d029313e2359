use sse_core::Cursor;
use sse_core::store::{Bounds, PageLimit};

use crate::core::LogCore;
use crate::error::Failure;
use crate::read;

pub(crate) async fn bounds(log: &LogCore) -> Result<Bounds, Failure> {
    let none = PageLimit { events: 0, bytes: 0 };
    Ok(read::read(log, Cursor::MAX, none).await?.bounds)
}

/// Has the log be there, and its time be known.
pub(crate) async fn ensure_open(log: &LogCore) -> Result<(), Failure> {
    if log.now().is_none() {
        bounds(log).await?;
    }
    Ok(())
}
