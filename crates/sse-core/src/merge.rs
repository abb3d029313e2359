use std::collections::HashSet;
use std::sync::Arc;

use crate::feed::Origin;
use crate::log::Selection;
use crate::{Error, EventId, Feed};

mod given;
mod member;
mod merged;
mod packed;
mod turns;

pub(crate) use given::Given;
pub(crate) use merged::Merged;

/// Merges several logs into one stream, with one id that resumes each of them.
///
/// Each log has a name, of 1 to 32 of `[A-Za-z0-9_-]`; the id of the stream names the position in each log. A log can be added, or
/// left out, between two connections: the others keep their positions, and the new one begins at the position that
/// [`start_at`](Feed::start_at) sets ([`Start::Last`](crate::Start::Last) counts in each log). Events of one log keep their order; events of
/// two logs have none.
///
/// An id that names none of the logs, such as the id of a single log, is a gap in each. If a log has a gap, that log alone resets: the data
/// of the `reset` has its name as `log`. With [`OnGap::Stop`](crate::OnGap::Stop) a gap in one log ends the whole stream. The stream ends
/// when all its logs are finished, or with the [`Shutdown`](crate::Shutdown) of any.
///
/// ```
/// use sse_core::{EventLog, Start, merge};
/// # use sse_core::{StreamRequest, StreamResponse, Timer};
/// # futures_util::future::FutureExt::now_or_never(async {
/// # let (request, timer) = (StreamRequest::new("GET", None, []), Timer::new(std::time::Instant::now, |_| std::future::pending()));
///
/// let (prices, news) = (EventLog::in_memory(1000), EventLog::in_memory(1000));
/// prices.append("12 EUR").await?;
/// news.append("rain").await?;
/// let feed = merge([("prices", &prices), ("news", &news)])?.start_at(Start::Oldest);
/// let text = StreamResponse::new(&request, feed, timer).text().await;
/// assert!(text.contains("data: 12 EUR\n") && text.contains("data: rain\n"));
/// # Ok::<(), sse_core::Error>(())
/// # }).unwrap().unwrap();
/// ```
///
/// # Errors
///
/// [`is_invalid_merge`](Error::is_invalid_merge), with the name of the member, if
///
/// - there is no log, a name is invalid, or two logs have the same name;
/// - a member is not the feed of a log, or has options: set the options on the merge;
/// - the id could become longer than [`EventId::MAX_LEN`]. Its length is the sum over the logs of the name and 24 bytes, or 36 bytes if a
///   store's positions are two numbers. Five logs in memory fit with names of one letter, four with names of up to seven.
pub fn merge<N, L>(logs: impl IntoIterator<Item = (N, L)>) -> Result<Feed, Error>
where
    N: AsRef<str>,
    L: Into<Feed>,
{
    let logs = logs.into_iter().map(|(name, feed)| member(name.as_ref(), feed.into()));
    let logs: Vec<_> = logs.collect::<Result<_, _>>().map_err(Error::invalid_merge)?;
    check(&logs).map_err(Error::invalid_merge)?;
    let shutdowns = logs.iter().map(|(_, member)| member.log.shutdown().clone()).collect();
    Ok(Feed::of_origin(Origin::Merge(logs.into()), shutdowns))
}

fn member(name: &str, feed: Feed) -> Result<(Arc<str>, Selection), String> {
    if feed.has_options() {
        return Err(format!("the feed {name:?} has options: set them on the merge instead"));
    }
    match feed.origin {
        Origin::Log(selection) => Ok((name.into(), selection)),
        Origin::Merge(_) | Origin::Source(_) => {
            Err(format!("the feed {name:?} is not the feed of a log: only logs can be merged"))
        }
    }
}

fn check(logs: &[(Arc<str>, Selection)]) -> Result<(), String> {
    const LONGEST_NAME: usize = 32;
    let mut names = HashSet::new();
    for (name, _) in logs {
        let is_allowed = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-');
        if !(1..=LONGEST_NAME).contains(&name.len()) || !name.bytes().all(is_allowed) {
            return Err(format!("{name:?} cannot name a log: use 1 to 32 of [A-Za-z0-9_-]"));
        }
        if !names.insert(name) {
            return Err(format!("two logs are called {name:?}: give each its own name"));
        }
    }
    match packed::longest(logs) {
        0 => Err("there is no log: name at least one".into()),
        1..=EventId::MAX_LEN => Ok(()),
        longest => Err(format!(
            "its id could be {longest} bytes long, and {} are allowed: use shorter names, or fewer logs",
            EventId::MAX_LEN
        )),
    }
}
