//! Two processes over one store, their clients, and all that happens to them in any order: every event once, in order, or a `reset`
//! that says otherwise; an error never reads as the end; what was acknowledged is stored, and what failed is not.

use std::time::Duration;

use fastrand::Rng;
use sse_core::{Start, StoreOptions};

use crate::simulation::{Reader, for_each_seed};
use crate::support::scripted_store::{Positions, Replica, ScriptedStore};
use crate::support::virtual_clock::VirtualClock;

mod actions;
mod attackers;
mod busy;
mod calls;
mod checks;
mod choices;
mod client;
mod faults;
mod history;
mod liveness;
mod process;

use calls::Call;
use choices::{Choice, Snapshots};
use client::Client;
use history::{History, Place};
use process::Process;

#[test]
fn each_client_of_a_log_over_a_store_gets_every_event_once_in_order_or_is_told_of_a_gap() {
    for_each_seed(1000, |rng| Simulation::new(rng).run());
}

struct Simulation {
    rng: Rng,
    clock: VirtualClock,
    store: ScriptedStore,
    history: History,
    processes: [Process; 2],
    clients: Vec<Client>,
    /// Clients that ask for ids that nobody gave them.
    attackers: Vec<Reader>,
    /// The calls to a log that have not returned yet.
    calls: Vec<Call>,
    /// The number of attempts to append an event.
    count: usize,
    replica: Option<(Replica, Place)>,
    /// True if events may be lost otherwise than by a failover. If so, nobody appends until that was noticed.
    has_losses: bool,
}

impl Simulation {
    fn new(mut rng: Rng) -> Self {
        let (clock, store) = new_store(&mut rng);
        let mut steps = rng.fork();
        let most = rng.usize(1..4);
        store.dawdle(move || steps.usize(..most));
        if rng.bool() {
            store.short_pages(rng.usize(1..4));
        }
        let has_losses = rng.bool();
        if has_losses && rng.bool() {
            // More than is ever appended at once.
            store.keep_at_most([8, 12, 30][rng.usize(..3)]);
            let mut rng = rng.fork();
            store.between(move |engine| {
                if engine.kept() > 1 && rng.u8(..4) == 0 {
                    engine.trim(1);
                }
            });
        }
        let ages = [None, Some(Duration::from_secs(2)), Some(Duration::from_secs(15))];
        let options = options_of(&mut rng)
            .events(if has_losses { [5, 30, 1000][rng.usize(..3)] } else { 1000 })
            .age(if has_losses { ages[rng.usize(..3)] } else { None })
            .store_timeout(Duration::from_millis(400))
            .store_wait([Duration::ZERO, Duration::from_millis(300)][rng.usize(..2)]);
        Self::over(rng, (clock, store), options, has_losses)
    }

    fn over(
        mut rng: Rng,
        (clock, store): (VirtualClock, ScriptedStore),
        options: StoreOptions,
        has_losses: bool,
    ) -> Self {
        // The core draws its pauses from here.
        fastrand::seed(rng.u64(..));
        let process = |number| Process::new(&store.of_process(number), options.clone(), &clock);
        let processes = [process(0), process(1)];
        let history = History::new(&store);
        let clients = (0..rng.usize(1..4)).map(|_| Client::any(&mut rng, &store, &history));
        let clients = clients.collect();
        Self {
            rng,
            clock,
            store,
            history,
            processes,
            clients,
            attackers: Vec::new(),
            calls: Vec::new(),
            count: 0,
            replica: None,
            has_losses,
        }
    }

    fn run(mut self) {
        for _ in 0..self.rng.usize(20..200) {
            match self.rng.u8(..) {
                0..40 => self.append(),
                40..60 => self.poll_a_call(),
                60..110 => _ = self.poll_a_process(),
                110..200 => _ = self.poll_a_client(true),
                200..225 => self.clock.pass(Duration::from_millis(self.rng.u64(1..60))),
                225..228 => self.clock.pass(Duration::from_millis(self.rng.u64(..2000))),
                228..233 => self.cut_a_client(),
                233..247 => self.fault(),
                247..250 => self.attack(),
                250..253 => self.lose(),
                _ => self.rare(),
            }
            self.look();
            if self.rng.u8(..8) == 0 {
                self.poll_the_attackers();
            }
        }
        self.settle();
    }

    /// Takes note of what the store has, and of what its newest clients can begin with.
    fn look(&mut self) {
        self.history.look();
        for client in self.clients.iter_mut().filter(|client| client.at.is_none()) {
            let newest = self.processes[client.process].newest();
            client.has_something_to_begin_with &= client.can_begin_with(newest, &self.store);
        }
    }

    /// Nothing goes wrong any more: each client gets all there is.
    fn settle(&mut self) {
        self.attackers.clear();
        self.mend();
        self.let_pass(Duration::from_secs(3));
        assert!(self.calls.is_empty(), "a call has no answer");
        self.assert_all_were_told();
        for client in self.clients.iter().filter(|client| !client.is_done) {
            let is_there = match &client.at {
                Some(at) if self.history.is_at_the_end(at) => true,
                // Its event was lost, and nobody is left who knows: its id is that of another event by now.
                Some(_) if client.is_forgiven => {
                    self.history.is_at_the_end(&self.history.named(&client.last_event_id))
                }
                Some(_) => false,
                None => client.has_begun_live_if_at_all() || self.store.kept() == 0,
            };
            // A client that goes on live says nothing of where it is.
            let is_live = client.choice == Choice::Live && client.is_in_a_gap(&self.history);
            assert!(is_there || is_live, "it waits at {:?} by {:?}", client.at, client.choice);
        }
        self.look_at_all_from_the_beginning();
    }

    /// A client that comes now sees just what is kept.
    fn look_at_all_from_the_beginning(&mut self) {
        let known = self.clients.len();
        let mut late = [0, 1].map(|_| {
            let snapshots = Snapshots::new(&mut self.rng, &self.store);
            Client::new(Start::Oldest, Choice::Reset, snapshots, &self.history)
        });
        let deleted = self.history.deleted();
        for (client, process) in late.iter_mut().zip(0..) {
            client.must_not_see.clone_from(&deleted);
            let log = self.processes[process].log.as_ref().expect("it is open by now");
            client.connect(process, log, &self.history);
        }
        self.clients.extend(late);
        self.let_pass(Duration::from_secs(1));
        let newest = self.store.kept_after(self.history.highest_floor).pop();
        for client in &self.clients[known..] {
            let at = client.at.as_deref().unwrap_or_default();
            let is_there = match &newest {
                Some(newest) => {
                    at.iter().any(|p| self.history.places[*p].position == newest.position)
                }
                None => true,
            };
            assert!(is_there, "it is at {at:?}, and the newest is {newest:?}");
        }
    }

    /// Lets everything run for this long, as it comes.
    fn let_pass(&mut self, time: Duration) {
        let until = self.clock.now() + time;
        loop {
            let mut is_idle = false;
            for _ in 0..10_000 {
                is_idle = true;
                for process in 0..2 {
                    is_idle &= !self.processes[process].poll();
                    self.look();
                }
                for client in 0..self.clients.len() {
                    is_idle &= !self.step(client, false);
                }
                is_idle &= !self.poll_calls();
                if is_idle {
                    break;
                }
            }
            assert!(is_idle, "it is busy without end");
            if !self.clock.pass_to_next(until) {
                return;
            }
        }
    }
}

fn new_store(rng: &mut Rng) -> (VirtualClock, ScriptedStore) {
    let clock = VirtualClock::new();
    let positions = if rng.bool() { Positions::Dense } else { Positions::Sparse };
    let store = ScriptedStore::on(clock.timer(), positions);
    (clock, store)
}

fn options_of(rng: &mut Rng) -> StoreOptions {
    StoreOptions::new()
        .tail_events([1, 3, 20][rng.usize(..3)])
        .store_check(Duration::from_millis(300))
}
