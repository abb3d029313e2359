//! The clock of an engine's machine.

use fastrand::Rng;
use sse_conformance::stores::JumpingClock;

use super::a_while;

/// It jumps forwards and backwards, by up to 12 hours, and stays where it is after the last jump.
pub(super) async fn jump(clock: &JumpingClock, rng: &mut Rng) {
    for _ in 0..rng.u8(2..6) {
        let ahead = rng.i64(4 * 3600..6 * 3600);
        clock.jump_to(*rng.choice([ahead, -ahead, 0].iter()).expect("it has three"));
        a_while(rng).await;
    }
}
