//! The summary of a run.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;
use std::iter::successors;

/// The number of times that each came.
#[derive(Debug, Clone, Default)]
pub(crate) struct Counts {
    pub(crate) appended: u64,
    pub(crate) acknowledged: u64,
    pub(crate) unknown: u64,
    pub(crate) refused: u64,
    pub(crate) batches: u64,
    pub(crate) deleted: u64,
    /// The number of times that each idempotency key was acknowledged.
    pub(crate) once: HashMap<u64, u64>,
    pub(crate) resets: u64,
    /// Streams that were cut off by their clients.
    pub(crate) cuts: u64,
    /// Streams that ended by themselves.
    pub(crate) ends: u64,
    pub(crate) epochs: u64,
    pub(crate) faults: BTreeMap<String, u64>,
    pub(crate) received: Vec<u64>,
    /// The errors of appends.
    pub(crate) errors: BTreeSet<String>,
}

impl Counts {
    /// A run that did not do this has shown nothing.
    pub(crate) fn check(&self) -> Result<(), String> {
        let shared = self.once.values().filter(|times| **times > 1).count() as u64;
        let musts = [
            ("event was acknowledged", self.acknowledged),
            ("batch was appended", self.batches),
            ("idempotency key was brought twice", shared),
            ("event was deleted", self.deleted),
            ("stream was cut off", self.cuts),
            ("fault came", self.faults.values().sum()),
            ("client was told of a new epoch", if self.epochs > 0 { self.resets } else { 1 }),
            ("event came to each client", self.received.iter().min().copied().unwrap_or_default()),
        ];
        match musts.iter().find(|(_, count)| *count == 0) {
            Some((must, _)) => Err(format!("no {must}: {self}")),
            None => Ok(()),
        }
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shared = self.once.values().filter(|times| **times > 1).count();
        write!(
            f,
            "{} appended ({} batches), {} acknowledged, {} unknown, {} refused; {} deleted; {} idempotency keys, {shared} of them brought \
             more than once; {} epochs, {} resets; {} streams cut off, {} ended; received {:?}; faults {:?}",
            self.appended,
            self.batches,
            self.acknowledged,
            self.unknown,
            self.refused,
            self.deleted,
            self.once.len(),
            self.epochs,
            self.resets,
            self.cuts,
            self.ends,
            self.received,
            self.faults
        )
    }
}

/// An error with its causes, and without its numbers.
pub(crate) fn told(error: &dyn std::error::Error) -> String {
    let causes = successors(Some(error), |error| error.source());
    let text = causes.map(ToString::to_string).collect::<Vec<_>>().join(": ");
    text.replace(|digit: char| digit.is_ascii_digit(), "")
}
