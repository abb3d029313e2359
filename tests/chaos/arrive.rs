//! The wait of a round until each client has all.

use std::time::Duration;

use sse_core::Epoch;
use sse_core::store::PageLimit;
use sse_test_kit::parser::Parser;
use tokio::time::{Instant, sleep, timeout};

use crate::book::Number;
use crate::check::Truth;
use crate::options::log_options;
use crate::run::{CLIENTS, Chaos};
use crate::summary::told;

/// So many times the patience a client may take for all, though it gets on.
const LONGEST: u32 = 4;
/// The time that a process may take to notice that events were lost.
const NOTICED_WITHIN: Duration = Duration::from_secs(3);

/// Waits until each client has the marker, in the epoch that there is.
pub(crate) async fn arrive(chaos: &Chaos, marker: Number, before: Epoch) -> Result<Truth, String> {
    let begun = Instant::now();
    let may_change = chaos.book().lost_since.is_some();
    let mut truth = truth(chaos).await?;
    let (mut reached, mut waits) = (reached(chaos), begun);
    loop {
        chaos.failed()?;
        let now = self::reached(chaos);
        if now != reached {
            (reached, waits) = (now, Instant::now());
        }
        let epoch = truth.bounds.epoch;
        let is_noticed = !may_change || epoch != before || begun.elapsed() > NOTICED_WITHIN;
        let late: Vec<_> = {
            let book = chaos.book();
            (0..CLIENTS).filter(|client| !book.has(*client, marker, epoch)).collect()
        };
        if late.is_empty() && is_noticed {
            let now = self::truth(chaos).await?;
            if now.bounds.epoch == epoch {
                return Ok(now);
            }
            truth = now;
        }
        if waits.elapsed() > chaos.patience || begun.elapsed() > chaos.patience * LONGEST {
            return Err(stuck(chaos, &late, marker, &truth));
        }
        sleep(Duration::from_millis(10)).await;
        if may_change {
            truth = self::truth(chaos).await?;
        }
    }
}

/// Returns the newest position that anybody has reached: in each log, and of each client. A client whose log gets on over a slow line is not stuck.
fn reached(chaos: &Chaos) -> Vec<String> {
    let logs = chaos.processes.iter().filter_map(|process| Some(process.log()?.0.stats().newest));
    let mut reached: Vec<_> = logs.map(|newest| newest.to_string()).collect();
    reached.extend(chaos.book().trails.iter().map(|trail| trail.last().at().to_string()));
    reached
}

fn stuck(chaos: &Chaos, late: &[usize], marker: Number, truth: &Truth) -> String {
    let book = chaos.book();
    let clients = late.iter().map(|client| {
        let trail = &book.trails[*client];
        let (process, at) = (trail.process, trail.last());
        format!(
            "client {client} at {}.{} in process {process}, {} connections",
            at.epoch,
            at.at(),
            trail.connections
        )
    });
    let clients: Vec<_> = clients.collect();
    let logs: Vec<_> =
        chaos.processes.iter().map(|p| p.log().map(|(log, _)| log.stats())).collect();
    format!(
        "round {}: after {:?} the marker {marker} has not come to {clients:?}; the log is {:?}, and the processes have {logs:?}",
        book.round, chaos.patience, truth.bounds
    )
}

/// All that the log has, for a new reader.
async fn truth(chaos: &Chaos) -> Result<Truth, String> {
    let begun = Instant::now();
    loop {
        match timeout(chaos.patience, read_all(chaos)).await {
            Ok(Ok(truth)) => return Ok(truth),
            Ok(Err(error)) if begun.elapsed() > chaos.patience => {
                return Err(format!("the log cannot be read: {}", told(&error)));
            }
            Ok(Err(_)) => sleep(Duration::from_millis(50)).await,
            Err(_) => return Err("reading the log has not ended".into()),
        }
    }
}

async fn read_all(chaos: &Chaos) -> Result<Truth, sse_core::Error> {
    let store = chaos.subject.open(2, log_options(&*chaos.subject)).await?;
    'anew: loop {
        let bounds = store.bounds().await?;
        let (read_at, mut events, mut after) =
            (std::time::Instant::now(), Vec::new(), bounds.floor);
        loop {
            let page = store.read(after, PageLimit { events: 1000, bytes: 64 * 1024 }).await?;
            if (page.bounds.epoch, page.bounds.floor) != (bounds.epoch, bounds.floor) {
                continue 'anew; // dropped meanwhile
            }
            let Some(last) = page.events.last() else {
                return Ok(Truth { bounds, events, read_at });
            };
            after = last.position;
            events.extend(page.events.iter().map(|kept| (kept.position, number_of(&kept.block))));
        }
    }
}

fn number_of(block: &[u8]) -> Number {
    let parsed = Parser::default().feed(&[block, b"\n"].concat());
    let number = parsed.first().and_then(|event| event.data.split(' ').next()?.parse().ok());
    number.unwrap_or_default()
}
