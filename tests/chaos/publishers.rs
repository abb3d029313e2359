//! A part of a process that appends and deletes.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use fastrand::Rng;
use sse_core::{Error, Event, EventId, EventLog, NewEvent};
use tokio::time::sleep;

use crate::book::Number;
use crate::run::Chaos;

const KEYS: u64 = 4;

/// Works until it is aborted, and waits between rounds.
pub(crate) async fn publish(chaos: Arc<Chaos>, process: usize, mut rng: Rng) {
    loop {
        {
            let _round = chaos.gate.read().await;
            match chaos.processes[process].log() {
                Some((log, mut running)) => {
                    let mut begun = Begun { chaos: &chaos, numbers: Vec::new() };
                    tokio::select! {
                        () = act(&chaos, &log, &mut begun, &mut rng) => {}
                        _ = running.changed() => {} // the process has ended
                    }
                }
                None => sleep(Duration::from_millis(10)).await,
            }
        }
        sleep(Duration::from_millis(rng.u64(1..30))).await;
    }
}

/// A call whose outcome is unknown if this is dropped before the answer.
struct Begun<'a> {
    chaos: &'a Chaos,
    numbers: Vec<Number>,
}

impl Begun<'_> {
    fn begin(&mut self, rng: &mut Rng, key: Option<u64>, once: Option<u64>) -> String {
        let (number, text) = self.chaos.book().begin(a_size(rng), key, once);
        self.numbers.push(number);
        text
    }

    fn answer(&mut self, answer: Result<Vec<EventId>, Error>) {
        let mut book = self.chaos.book();
        let numbers = std::mem::take(&mut self.numbers);
        match answer {
            Ok(ids) if ids.len() == numbers.len() => {
                numbers.into_iter().zip(&ids).for_each(|(number, id)| book.stored(number, id));
            }
            Ok(ids) => book.fail(format!("{} ids for {} events", ids.len(), numbers.len())),
            Err(error) => {
                numbers
                    .iter()
                    .for_each(|number| book.not_stored(*number, error.is_outcome_unknown()));
                if !error.is_store() {
                    book.fail(format!("an append failed with {error:?}"));
                }
                book.counts.errors.insert(crate::summary::told(&error));
            }
        }
    }
}

impl Drop for Begun<'_> {
    fn drop(&mut self) {
        let mut book = self.chaos.book();
        self.numbers.iter().for_each(|number| book.not_stored(*number, true));
    }
}

async fn act(chaos: &Chaos, log: &EventLog, begun: &mut Begun<'_>, rng: &mut Rng) {
    match rng.u8(..100) {
        0..45 => {
            let text = begun.begin(rng, None, None);
            begun.answer(log.append(text).await.map(|id| vec![id]));
        }
        45..65 => {
            let key = rng.u64(..KEYS);
            let text = begun.begin(rng, Some(key), None);
            let appended =
                log.append(Event::from(text).key(&key.to_string()).expect("a key")).await;
            begun.answer(appended.map(|id| vec![id]));
        }
        65..75 => append_once(chaos, log, begun, rng).await,
        75..90 => append_batch(chaos, log, begun, rng).await,
        _ => delete(chaos, log, rng).await,
    }
}

/// One of the keys that both processes are at. If the outcome is unknown it is tried again.
async fn append_once(chaos: &Chaos, log: &EventLog, begun: &mut Begun<'_>, rng: &mut Rng) {
    let once = a_once(chaos, rng);
    let text = begun.begin(rng, None, Some(once));
    let event = Event::new(text).idempotency_key(&once.to_string()).expect("a key");
    let (mut appended, mut tries) = (log.append(event.clone()).await, 1);
    while tries < 3 && appended.as_ref().is_err_and(Error::is_outcome_unknown) {
        appended = log.append(event.clone()).await;
        tries += 1;
    }
    match appended {
        // The first may have stored it, whatever became of the last.
        Err(_) if tries > 1 => {}
        appended => begun.answer(appended.map(|id| vec![id])),
    }
}

fn a_once(chaos: &Chaos, rng: &mut Rng) -> u64 {
    if rng.u8(..3) == 0 {
        chaos.once.fetch_add(1, Relaxed);
    }
    chaos.once.load(Relaxed) - rng.u64(..4)
}

fn a_size(rng: &mut Rng) -> usize {
    match rng.u8(..) {
        0..4 => rng.usize(8000..20_000), // a second of a slow line
        4..30 => rng.usize(1000..4000),
        _ => rng.usize(..300),
    }
}

async fn append_batch(chaos: &Chaos, log: &EventLog, begun: &mut Begun<'_>, rng: &mut Rng) {
    let (count, kind) = (rng.u64(2..8), rng.u8(..3));
    let mut once = (kind == 2).then(|| a_once(chaos, rng));
    let mut events = Vec::new();
    {
        let mut book = chaos.book();
        book.counts.batches += 1;
        for place in 0..count {
            let key = (kind == 1 && rng.bool()).then(|| rng.u64(..KEYS));
            // At most one has it.
            let once = if rng.bool() { once.take() } else { None };
            let (number, text) = book.begin(a_size(rng), key, once);
            let entry = book.entries.get_mut(&number).expect("it was begun");
            entry.batch = Some((number - place, count));
            begun.numbers.push(number);
            events.push((text, key, once));
        }
    }
    let events = events.into_iter().map(|(text, key, once)| {
        let mut event = NewEvent::from(text);
        if let Some(key) = key {
            event = event.key(&key.to_string()).expect("short");
        }
        match once {
            Some(once) => event.idempotency_key(&once.to_string()).expect("short"),
            None => event,
        }
    });
    begun.answer(log.append_all(events).await);
}

async fn delete(chaos: &Chaos, log: &EventLog, rng: &mut Rng) {
    let Some((id, number)) = chaos.book().recent(rng.usize(..)) else { return };
    chaos.book().wants_deleted(number);
    match log.delete(&id).await {
        Ok(()) => chaos.book().deleted(number),
        Err(error) if error.is_gap() || error.is_store() => {}
        Err(error) => chaos.book().fail(format!("{number} cannot be deleted: {error:?}")),
    }
}
