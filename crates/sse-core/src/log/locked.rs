use std::ops::{Deref, DerefMut};

use crate::log::state::State;
use crate::sync::MutexGuard;

/// The state of a log while it is locked, and every other thread waits: the work done meanwhile is bounded, however many events the log has.
pub(crate) struct Locked<'a>(MutexGuard<'a, State>);

impl<'a> Locked<'a> {
    pub(super) fn new(state: MutexGuard<'a, State>) -> Self {
        #[cfg(test)]
        crate::log::work::begin();
        Self(state)
    }
}

impl Deref for Locked<'_> {
    type Target = State;

    fn deref(&self) -> &State {
        &self.0
    }
}

impl DerefMut for Locked<'_> {
    fn deref_mut(&mut self) -> &mut State {
        &mut self.0
    }
}

#[cfg(test)]
impl Drop for Locked<'_> {
    fn drop(&mut self) {
        crate::log::work::end();
    }
}
