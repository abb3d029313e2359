//! Clients that ask a process for ids that no log gave to them.

use std::time::Duration;

use sse_core::{Epoch, Position};

use super::Simulation;
use crate::simulation::Reader;

/// The number of attackers at a time.
const AT_A_TIME: usize = 12;

impl Simulation {
    /// Asks a process for the ids that come next, for those of an epoch that nobody knows, for nonsense.
    pub(super) fn attack(&mut self) {
        let Some((process, log)) = self.a_log() else { return };
        let now = self.store.now();
        let (epoch, newest) = (now.epoch, now.newest);
        let unknown: Epoch = format!("x{}", self.rng.u16(..)).parse().expect("an epoch");
        let mut ids: Vec<String> = [
            newest.next(),
            Position::new(newest.hi(), newest.lo() + 2),
            Position::new(newest.hi() + 3, 0),
            Position::new(newest.hi(), newest.lo() + self.rng.u64(3..20)),
            Position::MAX,
        ]
        .map(|ahead| ahead.id(epoch).as_str().to_owned())
        .into();
        ids.extend([newest.id(unknown).as_str().to_owned(), "nonsense".to_owned()]);
        for id in ids {
            let mut attacker = Reader::new(&id);
            if attacker.is_answered(&log) {
                // It has the first line, and its id is asked for.
                attacker.read(&mut self.rng, false);
                attacker.read(&mut self.rng, false);
                self.attackers.push(attacker);
            }
        }
        // The store is asked what it knows of them, and they are answered.
        for _ in 0..self.rng.usize(..4) {
            self.clock.pass(Duration::from_millis(10));
            self.processes[process].poll();
            self.look();
            self.poll_the_attackers();
        }
        let too_many = self.attackers.len().saturating_sub(AT_A_TIME);
        self.attackers.drain(..too_many);
    }

    pub(super) fn poll_the_attackers(&mut self) {
        for attacker in &mut self.attackers {
            attacker.read(&mut self.rng, false);
        }
    }
}
