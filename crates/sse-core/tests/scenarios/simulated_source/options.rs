//! The differences between clients.

use fastrand::Rng;

#[derive(Debug, Clone, Copy)]
pub(super) struct Options {
    pub(super) at_gap: AtGap,
    pub(super) buffered: usize,
    pub(super) remembered: usize,
    /// True if more may come than is buffered or remembered, so that a response may end for it.
    pub(super) is_tight: bool,
    /// True if the client can read on for ever.
    pub(super) reads_on: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum AtGap {
    Reset,
    Live,
    Stop,
    Snapshot,
}

impl Options {
    /// With room for all that is published meanwhile.
    pub(super) const ROOMY: Self = Self {
        at_gap: AtGap::Reset,
        buffered: 1000,
        remembered: 1000,
        is_tight: false,
        reads_on: true,
    };

    /// With room for all that is published meanwhile, or for little.
    pub(super) fn any(rng: &mut Rng, at_gap: &[AtGap]) -> Self {
        let at_gap = at_gap[rng.usize(..at_gap.len())];
        let few = |rng: &mut Rng| if rng.bool() { rng.usize(..5) } else { 1000 };
        let (buffered, remembered) = (few(rng), few(rng));
        let is_tight = buffered.min(remembered) < 1000;
        Self { at_gap, buffered, remembered, is_tight, ..Self::ROOMY }
    }
}

/// An id that no header can carry.
pub(super) const UNUSABLE: &str = "a\0b";

/// Returns the first id of a client: mostly the position before the first event, or nothing; now and then an id that no event has.
pub(super) fn any_id(rng: &mut Rng) -> &'static str {
    match rng.u8(..16) {
        0..8 => "0",
        8..12 => "",
        12..14 => "9",
        14 => "of another server",
        _ => UNUSABLE,
    }
}
