//! The names of all faults. To add one: here, in `ALL`, and in `TO_ANY` (any engine), `TO_A_SERVER` (any server) or `kinds` of one engine.

/// The fault of a round.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Nothing,
    /// A process ends with all it has begun, and starts again.
    Restart,
    /// The application begins an epoch.
    Epoch,
    /// Another process keeps less.
    Retain,
    /// `kill -9` of the engine, which starts again.
    Kill,
    /// `kill -STOP`, and `kill -CONT`.
    Pause,
    /// All connections end.
    Cut,
    /// A line of 20 kB a second, with a round trip of 100 ms. It stays so until each client has got on.
    Slow,
    /// Nothing gets through, and nobody is told.
    Dead,
    /// Writes are refused.
    Full,
    /// The clock of the engine's machine jumps. NATS has none of this: it is written in Go, which asks the kernel for the time, so that
    /// libfaketime cannot come between.
    Clock,
    /// An operator removes the oldest events by the engine's own means.
    Trim,
    /// The same, if the engine's own means notify nobody: the operator then begins an epoch, as the docs ask.
    Purge,
    /// An operator removes single events by the engine's own means. A process that knew the newest takes it for lost.
    Remove,
    /// An operator removes the log.
    Drop,
    /// A replica takes over that lacks the newest events.
    FailOver,
    /// The same, and the old master is its replica from then on, and is still asked for a while.
    Demote,
    /// The engine stops, and begins again with the files of before.
    Restore,
    /// A dump is restored over what there is.
    Dump,
    /// A dump of the data alone is restored over emptied tables.
    Data,
    /// The files of before take the place of those that are open.
    Replace,
}

impl Kind {
    pub(crate) const ALL: [Self; 21] = [
        Self::Nothing,
        Self::Restart,
        Self::Epoch,
        Self::Retain,
        Self::Kill,
        Self::Pause,
        Self::Cut,
        Self::Slow,
        Self::Dead,
        Self::Full,
        Self::Clock,
        Self::Trim,
        Self::Purge,
        Self::Remove,
        Self::Drop,
        Self::FailOver,
        Self::Demote,
        Self::Restore,
        Self::Dump,
        Self::Data,
        Self::Replace,
    ];

    pub(crate) fn name(self) -> String {
        format!("{self:?}").to_lowercase()
    }

    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// Tells whether events may be dropped that are within the log's own limits.
    pub(crate) fn may_drop(self) -> bool {
        matches!(self, Self::Retain | Self::Trim) || self.may_begin_an_epoch()
    }

    /// Tells whether another epoch may begin: the history may have gone back.
    pub(crate) fn may_begin_an_epoch(self) -> bool {
        matches!(
            self,
            Self::Epoch
                | Self::Purge
                | Self::Remove
                | Self::Drop
                | Self::FailOver
                | Self::Demote
                | Self::Restore
                | Self::Dump
                | Self::Data
                | Self::Replace
        )
    }
}
