//! What a store reads of logs that an earlier build has written.

use sse_core::Position;
use sse_core::store::{Store, StoreError};

use super::answers::{append, append_all, bounds, texts};
use super::events::{event, keyed, keyed_once, once};

/// What is kept of the log: after `zero`, which was dropped, `one`; `three` of the key `k`, which has replaced `two`; `four` and `five` in a
/// batch, of which `four` was deleted; `six` with the idempotency key `o`; `seven` of the key `l` with the idempotency key `p`; `eight`; and
/// `nine` of the key `k`.
#[derive(Debug)]
pub struct Kept {
    /// The epoch.
    pub epoch: &'static str,
    /// The floor: that of the event `zero`.
    pub floor: Position,
    /// The place of the event `five`.
    pub five: Position,
    /// That of `six`.
    pub six: Position,
    /// That of `seven`.
    pub seven: Position,
    /// That of `nine`, the newest.
    pub nine: Position,
}

/// It also adds to that log, and deletes of it. The other is finished, after `last`.
///
/// # Panics
///
/// If anything is not as it was.
pub async fn reads_what_an_earlier_build_has_written(
    log: &dyn Store,
    done: &dyn Store,
    kept: &Kept,
) {
    let before = bounds(log).await;
    assert_eq!(before.epoch.as_str(), kept.epoch, "no epoch begins");
    assert_eq!((before.floor, before.newest), (kept.floor, kept.nine));
    assert_eq!((before.deletions, before.is_finished), (1, false));
    assert!(before.oldest.is_some_and(|oldest| oldest > kept.floor && oldest < kept.five));
    assert_eq!(texts(log).await, ["one", "five", "six", "seven", "eight", "nine"]);

    let again = [once("o", "again"), keyed_once("l", "p", "again")];
    assert_eq!(append_all(log, &again).await, [kept.six, kept.seven], "the keys are remembered");
    assert!(append(log, "ten").await > kept.nine);
    append_all(log, &[keyed("l", "eleven"), event("twelve")]).await;
    log.delete(kept.five).await.expect("deleted");
    assert_eq!(texts(log).await, ["one", "six", "eight", "nine", "ten", "eleven", "twelve"]);
    assert_eq!(bounds(log).await.epoch, before.epoch);

    assert!(bounds(done).await.is_finished);
    assert_eq!(texts(done).await, ["last"]);
    let refused = done.append(&[event("more")]).await;
    assert!(matches!(refused, Err(StoreError::Finished)), "{refused:?}");
}
