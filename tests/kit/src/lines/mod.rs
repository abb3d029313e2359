//! Networks that cut, stall and slow down: each stands between a client and a server.

pub(crate) mod closing;
mod cutting;
mod line;

pub use self::cutting::{Cuts, CuttingProxy};
pub use self::line::Line;
