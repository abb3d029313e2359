//! The faults of any server, and of the lines to it.

use std::net::SocketAddr;
use std::time::Duration;

use fastrand::Rng;
use sse_conformance::suite::store_engine::Networked;
use tokio::time::sleep;

use super::{Kind, a_while};
use crate::line::{Line, Mode};

pub(super) const TO_A_SERVER: [Kind; 6] =
    [Kind::Kill, Kind::Pause, Kind::Cut, Kind::Slow, Kind::Dead, Kind::Full];

/// Those of both processes, and of the observer.
pub(super) struct Lines([Line; 3]);

impl Lines {
    pub(super) async fn to(server: SocketAddr) -> Self {
        Self([Line::to(server).await, Line::to(server).await, Line::to(server).await])
    }

    pub(super) fn address(&self, line: usize) -> SocketAddr {
        self.0[line].address()
    }

    pub(super) fn lead_to(&self, server: SocketAddr) {
        self.0.iter().for_each(|line| line.lead_to(server));
    }

    pub(super) fn open(&self) {
        self.0.iter().for_each(|line| line.set(Mode::Open));
    }

    /// That of one process, or those of both.
    fn some(&self, rng: &mut Rng) -> &[Line] {
        match rng.usize(..3) {
            2 => &self.0[..2],
            one => &self.0[one..=one],
        }
    }
}

/// Does one of [`TO_A_SERVER`].
pub(super) async fn inflict(kind: Kind, server: &dyn Networked, lines: &Lines, rng: &mut Rng) {
    match kind {
        Kind::Kill => {
            server.stop().await;
            a_while(rng).await;
            server.start().await;
        }
        Kind::Pause => {
            server.pause();
            sleep(Duration::from_millis(rng.u64(100..5000))).await;
            server.resume();
        }
        Kind::Cut => {
            for _ in 0..rng.u8(1..8) {
                lines.some(rng).iter().for_each(Line::cut);
                sleep(Duration::from_millis(rng.u64(1..200))).await;
            }
        }
        Kind::Slow => {
            let mode = Mode::Slow { bytes: 20_000, later: Duration::from_millis(50) };
            lines.some(rng).iter().for_each(|line| line.set(mode));
            sleep(Duration::from_millis(rng.u64(100..1000))).await;
        }
        Kind::Dead => {
            lines.some(rng).iter().for_each(|line| line.set(Mode::Dead));
            sleep(Duration::from_millis(rng.u64(100..5000))).await;
            lines.open();
        }
        Kind::Full => {
            server.refuse_writes().await;
            a_while(rng).await;
            server.allow_writes().await;
        }
        kind => unreachable!("{kind:?} is done to one engine"),
    }
}
