use std::collections::HashSet;
use std::sync::Arc;

use crate::feed::Origin;
use crate::{Error, EventId, EventLog, Feed};

mod given;
mod member;
mod merged;
mod packed;
mod turns;

pub(crate) use merged::Merged;

/// Several logs as one stream, with one id that resumes each of them.
///
/// Each log is given a name, of 1 to 32 of `[A-Za-z0-9_-]`; by these a client that comes back is known to each. A log can be added, or
/// left out, between two connections: the others keep their places, and the new one begins where
/// [`start_at`](Feed::start_at) says ([`Start::Last`](crate::Start::Last) counts in each log). Within a log the order is the log's; between
/// two there is none.
///
/// An id that names none of the logs, such as that of a single log, is a gap in each. A log that has a gap resets alone, and says which it is: the data of the `reset` has a `log`. With [`OnGap::Stop`](crate::OnGap::Stop) a gap
/// in one ends the whole. The stream ends when all its logs are finished, or with the [`Shutdown`](crate::Shutdown) of any.
///
/// ```
/// use sse_core::{EventLog, merge};
///
/// let (prices, news) = (EventLog::in_memory(1000), EventLog::in_memory(1000));
/// let feed = merge([("prices", &prices), ("news", &news)])?;
/// # drop(feed);
/// # Ok::<(), sse_core::Error>(())
/// ```
///
/// # Errors
///
/// [`is_invalid_merge`](Error::is_invalid_merge), with the name of the member, if
///
/// - there is no log, a name is invalid, or two logs have the same;
/// - a member is the feed of something else than a log, or has options: those of all are set on the merge;
/// - the id could become longer than [`EventId::MAX_LEN`]: that is a sum over the logs of 24 bytes and the name, 36 if a store's positions
///   are two numbers. Five logs in memory fit with names of one letter, four with names of up to seven.
pub fn merge<N, L>(logs: impl IntoIterator<Item = (N, L)>) -> Result<Feed, Error>
where
    N: AsRef<str>,
    L: Into<Feed>,
{
    let logs = logs.into_iter().map(|(name, feed)| member(name.as_ref(), feed.into()));
    let logs: Vec<_> = logs.collect::<Result<_, _>>().map_err(Error::invalid_merge)?;
    check(&logs).map_err(Error::invalid_merge)?;
    let shutdowns = logs.iter().map(|(_, log)| log.shutdown().clone()).collect();
    Ok(Feed::new(Origin::Merge(logs.into()), shutdowns))
}

fn member(name: &str, feed: Feed) -> Result<(Arc<str>, EventLog), String> {
    if feed.has_options() {
        return Err(format!("the feed {name:?} has options: set them on the merge instead"));
    }
    match feed.origin {
        Origin::Log(log) => Ok((name.into(), log)),
        Origin::Merge(_) | Origin::Source(_) => {
            Err(format!("the feed {name:?} is not that of a log, and only logs can be merged"))
        }
    }
}

fn check(logs: &[(Arc<str>, EventLog)]) -> Result<(), String> {
    const LONGEST_NAME: usize = 32;
    let mut names = HashSet::new();
    for (name, _) in logs {
        let is_one = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-');
        if !(1..=LONGEST_NAME).contains(&name.len()) || !name.bytes().all(is_one) {
            return Err(format!("{name:?} cannot name a log: 1 to 32 of [A-Za-z0-9_-] can"));
        }
        if !names.insert(name) {
            return Err(format!("two logs are called {name:?}"));
        }
    }
    let longest = logs.iter().map(|(name, log)| packed::longest(name, log.largest_position()));
    match longest.sum::<usize>() {
        0 => Err("there is no log".into()),
        1..=EventId::MAX_LEN => Ok(()),
        longest => Err(format!(
            "its id could be {longest} bytes long, and {} are allowed",
            EventId::MAX_LEN
        )),
    }
}
