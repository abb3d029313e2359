//! Networks that cut, stall and slow down: each stands between a client and a server.

pub(crate) mod closing;
mod cutting;
mod line;
mod slow;

pub use self::cutting::{Cuts, CuttingProxy};
pub use self::line::Line;
pub use self::slow::SlowLine;
