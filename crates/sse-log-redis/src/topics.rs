use std::sync::Arc;
use std::time::Instant;

use redis::{Value, cmd, from_redis_value, pipe};
use sse_core::store::{Page, PageLimit, StoreError, StoredEvent, TopicFilter, TopicPage, Topics};
use sse_core::{Position, Topic};

use crate::calls::Request;
use crate::core::LogCore;
use crate::log_state::LogState;
use crate::position::{id, position};
use crate::read::{self, event};
use crate::server::Lane;
use crate::topic_index::{IndexReply, Span, share};

/// The number of topics above which it looks at a page of the log first: many topics are likely to be a large part of it.
const MANY: usize = 16;
/// The part of a page of the log that must pass a filter. If it is less, the index is faster.
const WORTHWHILE: usize = 8;
/// The number of positions in a full chunk.
const CHUNK: usize = 64;

/// Returns the topics of an event as a line each: no topic has a line break.
pub(crate) fn lines(topics: &Topics) -> String {
    let topics: Vec<_> = topics.iter().map(Topic::as_str).collect();
    topics.join("\n")
}

/// Parses what [`lines`] has returned; returns `None` if another program has written it.
pub(crate) fn parse(lines: &str) -> Option<Topics> {
    let topics: Result<Vec<_>, _> = lines.lines().map(Topic::try_from).collect();
    Topics::new(topics.ok()?).ok()
}

/// Returns the events after a position that pass a filter.
pub(crate) async fn read(
    core: &Arc<LogCore>,
    after: Position,
    filter: &TopicFilter,
    limit: PageLimit,
) -> Result<TopicPage, StoreError> {
    // Over a slow line only the log brings an event whose reply takes longer than a call.
    let is_slow = core.page_size.is_slow();
    if is_slow || filter.topics().len() > MANY {
        let (all, read) = by_log(core, after, filter, limit).await?;
        let is_end = read.upto >= read.page.bounds.newest;
        if is_slow || is_end || read.page.events.len() * WORTHWHILE >= all {
            return Ok(read);
        }
    }
    match by_index(core, after, filter, limit).await? {
        Some(read) => Ok(read),
        None => Ok(by_log(core, after, filter, limit).await?.1),
    }
}

/// Reads a page of the log. Returns the number of its events, and those that pass.
async fn by_log(
    core: &Arc<LogCore>,
    after: Position,
    filter: &TopicFilter,
    limit: PageLimit,
) -> Result<(usize, TopicPage), StoreError> {
    let mut page = read::read(core, after, limit).await?;
    if page.events.is_empty() && page.bounds.newest > after {
        // Redis has read the bounds after the events: an event may have come in between. A second read shows it.
        let newest = page.bounds.newest;
        page = read::read(core, after, limit).await?;
        if page.events.is_empty() {
            let upto = newest.min(page.bounds.newest).max(after);
            return Ok((0, TopicPage { page, upto }));
        }
    }
    Ok((page.events.len(), filter.of_page(after, page)))
}

/// Reads the positions from the index, and then the events. Returns `None` if the log must be read instead.
async fn by_index(
    core: &Arc<LogCore>,
    after: Position,
    filter: &TopicFilter,
    limit: PageLimit,
) -> Result<Option<TopicPage>, StoreError> {
    let slow = |_: &StoreError| core.page_size.page_timed_out();
    let found = find(core, after, filter, limit).await.inspect_err(slow)?;
    // After the newest event with topics all events pass, or none.
    let is_all = filter.takes_those_without() && found.newest_with_topics()? <= after;
    if !found.is_complete || is_all {
        return Ok(None);
    }
    core.page_size.note_sizes(&found.state);
    let count = core.page_size.count(limit);
    let bounds = found.state.bounds()?;
    let (mut spans, mut upto) = found.spans(after, filter)?;
    let shares = share(&spans, count);
    if let Some(next) = spans.get(shares.len()) {
        upto = next.from;
    }
    spans.truncate(shares.len());
    if spans.is_empty() {
        let page = Page { bounds, events: Vec::new() };
        return Ok(Some(TopicPage { page, upto: upto.max(after) }));
    }
    let sent = Instant::now();
    let reply = fetch(core, &spans, &shares).await.inspect_err(slow)?;
    let took = sent.elapsed();
    let (page, size) = Fetched { spans, shares, reply }.parse(filter, limit, upto)?;
    core.page_size.page_arrived(count, size, took);
    // In another epoch the positions may be those of other events.
    let is_valid = page.page.bounds.epoch == bounds.epoch && page.upto > after;
    Ok(is_valid.then_some(page))
}

/// Returns the positions of the next events that pass: of each topic so many that they are likely to fill a page.
async fn find(
    core: &LogCore,
    after: Position,
    filter: &TopicFilter,
    limit: PageLimit,
) -> Result<IndexReply, StoreError> {
    let (topics, count) = (filter.topics(), core.page_size.count(limit));
    let most = (2 * count / topics.len().max(1)).max(16);
    let mut script = core.invoke(&core.caller.engine.scripts.read_topics)?;
    script.arg(id(after)).arg(most.div_ceil(CHUNK));
    script.arg(if filter.takes_those_without() { "1" } else { "" });
    for topic in topics {
        script.arg(topic.as_str());
    }
    core.caller.call(Lane::Large, &script).await
}

/// Requests the events of these spans, and then the bounds: an event that is missing was dropped or deleted meanwhile, and the bounds show it.
async fn fetch(core: &LogCore, spans: &[Span], shares: &[usize]) -> Result<Vec<Value>, StoreError> {
    let mut pipeline = pipe();
    for (span, share) in spans.iter().zip(shares) {
        let mut range = cmd("XRANGE");
        range.arg(&core.keys.stream).arg(format!("({}", id(span.from))).arg(id(span.upto));
        pipeline.add_command(range.arg("COUNT").arg(*share).take());
    }
    pipeline.add_command(read::bounds(core)?);
    let request = Request::Pipeline(&pipeline, &core.caller.engine.scripts.bounds);
    core.caller.call(Lane::Large, request).await
}

/// The spans that were requested, the number of events requested of each, and the reply.
struct Fetched {
    spans: Vec<Span>,
    shares: Vec<usize>,
    reply: Vec<Value>,
}

impl Fetched {
    /// Returns the events that pass, and the number of events and bytes in the reply. The spans have all of them up to a position.
    fn parse(
        mut self,
        filter: &TopicFilter,
        limit: PageLimit,
        mut upto: Position,
    ) -> Result<(TopicPage, (usize, usize)), StoreError> {
        let state = self.reply.pop().map(from_redis_value::<LogState>);
        let state = state.ok_or_else(|| StoreError::failed("Redis returned an empty reply"))?;
        let bounds = state.map_err(StoreError::failed)?.bounds()?;
        let (mut events, mut size): (Vec<StoredEvent>, _) = (Vec::new(), (0, 0));
        'spans: for ((span, share), entries) in self.spans.iter().zip(self.shares).zip(self.reply) {
            let entries: Vec<(String, Vec<Value>)> =
                from_redis_value(entries).map_err(StoreError::failed)?;
            let is_cut = entries.len() == share;
            let mut last = span.from;
            for (id, fields) in entries {
                last = position(&id)?;
                let Some(event) = event(last, fields)? else { continue };
                size = (size.0 + 1, size.1 + event.block.len());
                let is_full = events.len() == limit.events || size.1 > limit.bytes;
                if let (true, Some(newest)) = (is_full, events.last()) {
                    upto = newest.position;
                    break 'spans;
                }
                if filter.takes(&event.topics) {
                    events.push(event);
                }
            }
            if is_cut && last < span.upto {
                upto = last;
                break;
            }
        }
        Ok((TopicPage { page: Page { bounds, events }, upto }, size))
    }
}
