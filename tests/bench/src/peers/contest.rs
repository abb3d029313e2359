//! One regime: all servers alive at once, and windows in rotation, with one of raw sends before each few others.

use std::path::Path;
use std::time::Duration;

use super::figures::{Spread, Window};
use super::peer::{self, Running, Setup, names};
use super::regimes::Regime;
use crate::peers::client::Client;

/// After so many windows of others comes one of raw sends.
const BESIDE: usize = 4;

/// A server in a regime, and what was measured of it.
#[derive(Debug)]
pub(crate) struct Contestant {
    pub(crate) running: Running,
    pub(crate) client: Client,
    /// The number of events its streams must have had by now.
    pub(crate) expected: u64,
}

impl Contestant {
    /// Checks that each stream got each event once, in order.
    pub(crate) fn check(&self) -> Result<(), String> {
        let received = &self.client.received;
        match (received.out_of_order, received.ended, received.events == self.expected) {
            (0, 0, true) => Ok(()),
            (wrong, ended, _) => Err(format!(
                "{} events of {}, {wrong} of them not the next; {ended} streams ended",
                received.events, self.expected
            )),
        }
    }
}

/// The findings of a regime about a server.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) name: &'static str,
    pub(crate) windows: Vec<Window>,
    /// The CPU of each window over that of the raw sends before and after it.
    pub(crate) ratios: Vec<f64>,
    pub(crate) failed: Option<String>,
}

impl Row {
    pub(crate) fn spread(&self, of: impl Fn(&Window) -> Option<f64>) -> Option<Spread> {
        Spread::of(self.windows.iter().filter_map(of))
    }

    pub(crate) fn ratio(&self) -> Option<Spread> {
        Spread::of(self.ratios.iter().copied())
    }
}

/// Runs a regime.
pub(crate) fn run(program: &Path, regime: &Regime, rounds: usize) -> Vec<Row> {
    let setup = Setup { topics: regime.topics(), kept: regime.kept() };
    let (mut rows, mut contestants) = (Vec::new(), Vec::new());
    for name in names() {
        let begun = peer::start(program, name, setup).and_then(|running| {
            let mut contestant = Contestant { running, client: Client::new(), expected: 0 };
            regime.begin(&mut contestant)?;
            Ok(contestant)
        });
        let failed = begun.as_ref().err().cloned();
        if let Some(why) = &failed {
            eprintln!("{}: {name}: {why}", regime.name);
        }
        rows.push(Row { name, windows: Vec::new(), ratios: Vec::new(), failed });
        contestants.push(begun.ok());
    }
    let mut measured: Vec<(usize, Window)> = Vec::new();
    for round in 0..rounds {
        for number in order(rows.len(), round, round + 1 == rounds) {
            let Some(contestant) = &mut contestants[number] else { continue };
            // Warms what was cold, and finishes what others left undone.
            std::thread::sleep(Duration::from_millis(20));
            match regime.window(contestant) {
                Ok(window) => measured.push((number, window)),
                Err(why) => {
                    eprintln!("{}: {}: {why}", regime.name, rows[number].name);
                    rows[number].failed = Some(why);
                    contestants[number] = None;
                }
            }
        }
        eprintln!("{}: round {} of {rounds}", regime.name, round + 1);
    }
    for (place, (number, window)) in measured.iter().enumerate() {
        let raw = |(number, window): &(usize, Window)| (*number == 0).then_some(window.cpu);
        let before = measured[..place].iter().rev().find_map(raw);
        let after = measured[place + 1..].iter().find_map(raw);
        let beside: Vec<f64> = before.into_iter().chain(after).collect();
        let row = &mut rows[*number];
        if !beside.is_empty() {
            row.ratios.push(window.cpu * beside.len() as f64 / beside.iter().sum::<f64>());
        }
        row.windows.push(window.clone());
    }
    rows
}

/// The servers of a round, by number. Raw sends are the first. Each round has another order.
fn order(servers: usize, round: usize, last: bool) -> Vec<usize> {
    let mut others: Vec<usize> = (1..servers).collect();
    others.rotate_left(round * 3 % (servers - 1));
    if round % 2 == 1 {
        others.reverse();
    }
    let mut order: Vec<usize> = others
        .chunks(BESIDE)
        .flat_map(|few| std::iter::once(0).chain(few.iter().copied()))
        .collect();
    if last {
        order.push(0);
    }
    order
}
