use sse_core::store::{PageLimit, TopicFilter, TopicPage, Topics};
use sse_core::{Position, Topic};
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;

use crate::core::LogCore;
use crate::error::{Cause, Failure};
use crate::read::{self, View};

const READ_TOPICS: &str = concat!(
    "-- Returns the bounds of a log, and its events of some topics after a position.\n",
    include_str!("sql/log.sql"),
    include_str!("sql/topics.sql"),
    include_str!("sql/bounds.sql"),
);
/// Number of topics up to which the index is always faster than a page of the log.
const FEW: usize = 16;
/// Number of events of a topic that a read may always read.
const EVENTS_OF_A_TOPIC: usize = 16;
/// Part of a page of the log that must pass the filter, so that the log is faster than the index: one in eight.
const DENSE: usize = 8;

/// Returns the topics of an event as `sse_log_append` gets them: one text with line breaks between them, which no topic contains.
pub(crate) fn text(topics: &Topics) -> Option<String> {
    let topics: Vec<_> = topics.iter().map(Topic::as_str).collect();
    (!topics.is_empty()).then(|| topics.join("\n"))
}

/// Decodes the topics of the event in a row. Without its topics the event would go to every stream.
pub(crate) fn of_row(position: Position, row: &Row) -> Result<Topics, Failure> {
    let Some(stored) = row.get::<_, Option<Vec<Option<&str>>>>("topics") else {
        return Ok(Topics::default());
    };
    let invalid = || Failure::before_sending(Cause::InvalidTopics(position));
    let topic = |stored: &Option<&str>| stored.and_then(|topic| Topic::try_from(topic).ok());
    let topics: Option<Vec<_>> = stored.iter().map(topic).collect();
    let topics = topics.filter(|topics| !topics.is_empty()).ok_or_else(invalid)?;
    Topics::new(topics).map_err(|_| invalid())
}

/// Returns the events after a position that pass a filter. Many topics may be most of the log, or little of it: a page of the log shows it.
pub(crate) async fn read_topics(
    log: &LogCore,
    after: Position,
    filter: &TopicFilter,
    limit: PageLimit,
) -> Result<TopicPage, Failure> {
    if filter.topics().len() > FEW {
        let page = read::read(log, after, limit).await?;
        let (read, newest) = (page.events.len(), page.bounds.newest);
        let of_page = filter.of_page(after, page);
        if of_page.upto >= newest || of_page.page.events.len() * DENSE >= read {
            return Ok(of_page);
        }
    }
    // A page of no events cannot advance.
    let limit = PageLimit { events: limit.events.max(1), ..limit };
    let topics: Vec<_> = filter.topics().iter().map(Topic::as_str).collect();
    let of_each = of_each_topic(topics.len(), limit.events);
    let more: [&(dyn ToSql + Sync); 3] = [&topics, &filter.takes_those_without(), &of_each];
    let look = || read::look_by(log, READ_TOPICS, after, limit, &more);
    let View { page, upto, .. } = read::settled(look, |view| view.upto.is_none()).await?;
    Ok(TopicPage { upto: upto.unwrap_or(page.bounds.newest).max(after), page })
}

/// Returns the number of events of each topic that a read of this many events reads. If it read a full page of each topic, a read of 1 000 topics
/// would read 1 000 pages.
fn of_each_topic(topics: usize, events: usize) -> i64 {
    let of_each = events.saturating_mul(2) / topics.max(1);
    i64::try_from(of_each.max(EVENTS_OF_A_TOPIC).min(events)).unwrap_or(i64::MAX)
}
