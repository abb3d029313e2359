//! The shared part of the recipes' tests: a program as its user runs it, a line that can be cut, and the checks of every page.

mod line;
pub mod notifications;
mod page;
mod program;

pub use self::line::Line;
pub use self::page::is_fit_to_be_seen;
pub use self::program::Program;
