//! The calls of processes to a log, and their results.

use std::future::Future;

use sse_core::{Error, Event, EventId, EventLog};

use super::Simulation;
use super::history::Place;
use crate::support::task::Task;

pub(super) struct Call {
    task: Task<Result<Vec<EventId>, Error>>,
    what: What,
    pub(super) process: usize,
}

enum What {
    /// These events.
    Append(Vec<usize>),
    /// This event, unless it is known.
    AppendOnce(usize),
    Delete(Place),
    Other,
}

impl Simulation {
    /// Has a process append something.
    pub(super) fn append(&mut self) {
        let Some((process, log)) = self.a_log() else { return };
        let many = if self.rng.u8(..) < 16 { self.rng.usize(1..8) } else { 1 };
        let numbers: Vec<usize> = (0..many).map(|n| self.count + 1 + n).collect();
        self.count += many;
        let first = numbers[0];
        match self.rng.u8(..) {
            0..40 => self.append_once(process, log, first),
            40..70 if self.has_losses => {
                let key = format!("key {}", self.rng.u8(..3));
                let call = async move {
                    let event = Event::new(first.to_string()).key(&key).expect("a key");
                    log.append(event).await.map(|id| vec![id])
                };
                self.call(process, What::Append(vec![first]), call);
            }
            _ => {
                let texts: Vec<String> = numbers.iter().map(ToString::to_string).collect();
                let call = async move { log.append_all(texts).await };
                self.call(process, What::Append(numbers), call);
            }
        }
    }

    fn append_once(&mut self, process: usize, log: EventLog, number: usize) {
        let call = async move {
            let (key, text) = (format!("once {number}"), number.to_string());
            log.append(Event::new(text).idempotency_key(&key).expect("a key"))
                .await
                .map(|id| vec![id])
        };
        self.call(process, What::AppendOnce(number), call);
    }

    pub(super) fn finish(&mut self) {
        let Some((process, log)) = self.a_log() else { return };
        if self.rng.bool() {
            let numbers: Vec<usize> = (1..=self.rng.usize(1..4)).map(|n| self.count + n).collect();
            self.count += numbers.len();
            let texts: Vec<String> = numbers.iter().map(ToString::to_string).collect();
            let call = async move { log.finish_with(texts).await };
            return self.call(process, What::Append(numbers), call);
        }
        self.call(process, What::Other, async move { log.finish().await.map(|()| Vec::new()) });
    }

    pub(super) fn new_epoch(&mut self) {
        let Some((process, log)) = self.a_log() else { return };
        self.call(process, What::Other, async move { log.new_epoch().await.map(|()| Vec::new()) });
    }

    /// Deletes an event; from now on it may be missing.
    pub(super) fn delete(&mut self) {
        let Some((process, log)) = self.a_log() else { return };
        let line: Vec<_> = self.history.line().collect();
        let place = line[self.rng.usize(..line.len())];
        let id = self.history.places[place].position.id(self.store.now().epoch);
        self.history.skippable.insert(place);
        let call = async move { log.delete(&id).await.map(|()| Vec::new()) };
        self.call(process, What::Delete(place), call);
    }

    fn call(
        &mut self,
        process: usize,
        what: What,
        call: impl Future<Output = Result<Vec<EventId>, Error>> + Send + 'static,
    ) {
        self.calls.push(Call { task: Task::new(call), what, process });
    }

    pub(super) fn poll_a_call(&mut self) {
        if !self.calls.is_empty() {
            let call = self.rng.usize(..self.calls.len());
            self.poll_call(call);
        }
    }

    /// Polls each; whether any of them did anything.
    pub(super) fn poll_calls(&mut self) -> bool {
        let mut did_anything = false;
        for call in (0..self.calls.len()).rev() {
            did_anything |= self.poll_call(call);
        }
        did_anything
    }

    fn poll_call(&mut self, call: usize) -> bool {
        let (result, was_polled) = self.calls[call].task.poll();
        self.look();
        if let Some(result) = result {
            let Call { what, process, .. } = self.calls.swap_remove(call);
            self.check(what, process, result);
        }
        was_polled
    }

    fn check(&mut self, what: What, process: usize, result: Result<Vec<EventId>, Error>) {
        if let Ok(ids) = &result {
            self.processes[process].acknowledge(ids);
        }
        match (what, result) {
            (What::Append(numbers), Ok(ids)) => {
                assert_eq!(ids.len(), numbers.len());
                ids.iter().zip(numbers).for_each(|(id, number)| self.is_stored(id, number));
            }
            (What::AppendOnce(number), Ok(ids)) => self.is_stored(&ids[0], number),
            (What::Append(numbers), Err(error)) if !error.is_outcome_unknown() => {
                let is_one = |number: usize| numbers.contains(&number);
                let is_there = self.history.places.iter().any(|stored| is_one(stored.number));
                assert!(!is_there, "{error}, and it was stored");
            }
            (What::AppendOnce(number), Err(error)) if error.is_outcome_unknown() => {
                // It can be called again.
                if let Some(log) = self.processes[process].log.clone() {
                    self.append_once(process, log, number);
                }
            }
            (What::Delete(place), Ok(_)) => {
                let late = self.clients.iter_mut().filter(|client| client.process == process);
                late.filter(|c| !c.reader.is_connected()).for_each(|c| c.must_not_see.push(place));
            }
            (_, Ok(_)) => {}
            (_, Err(error)) => {
                assert!(error.is_store() || error.is_finished() || error.is_gap(), "{error}");
            }
        }
    }

    /// An id that was given is that of the event.
    fn is_stored(&self, id: &EventId, number: usize) {
        let named = self.history.named(id.as_str());
        let is_it = |place: &Place| self.history.places[*place].number == number;
        let is_passing = named.is_empty() && self.has_been_lost(number);
        assert!(named.iter().any(is_it) || is_passing, "{id} was given to {number}");
    }

    fn has_been_lost(&self, number: usize) -> bool {
        // A failover came between storing it and saying so.
        self.history.places.iter().all(|stored| stored.number != number)
    }

    pub(super) fn a_log(&mut self) -> Option<(usize, EventLog)> {
        let process = self.rng.usize(..2);
        Some((process, self.processes[process].log.clone()?))
    }
}
