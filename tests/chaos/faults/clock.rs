//! The clock of an engine's machine.

use std::ops::Range;

use fastrand::Rng;
use sse_test_kit::engines::JumpingClock;

use super::a_while;

/// The seconds by which the clock of a server is ahead or behind: across, that is more than the age of events, which do not go by it.
pub(super) const OF_A_SERVER: Range<i64> = 4 * 3600..6 * 3600;

/// The same for a file. Across, that is less than the age: of the time in which no process has the file open up to a day counts, and a new file
/// begins with the time that there is.
pub(super) const OF_A_FILE: Range<i64> = 2 * 3600..14_000;

/// It jumps forwards and backwards, and stays where it is after the last jump.
pub(super) async fn jump(clock: &JumpingClock, by: Range<i64>, rng: &mut Rng) {
    for _ in 0..rng.u8(2..6) {
        let ahead = rng.i64(by.clone());
        clock.jump_to(*rng.choice([ahead, -ahead, 0].iter()).expect("it has three"));
        a_while(rng).await;
    }
}
