use std::iter::Peekable;

use sse_core::Position;
use sse_core::store::{PageLimit, TopicFilter, TopicPage};

use crate::error::Failure;
use crate::events::Row;
use crate::position::number;
use crate::read::{PageBuilder, read};
use crate::tables::LogView;
use crate::topics::{PART, TopicView};

/// Largest number of topics of which the index is read at once. Of more topics, a page of the log may well have enough events.
const FEW: usize = 16;
/// Part of a page of the log that must pass the filter, so that reading the log is quicker than reading the index: an eighth.
const ENOUGH: usize = 8;
/// Smallest number of entries of a topic that a look into the index reads.
const SHORTEST: usize = 16;
/// Number of topics that a call looks up, counted again in each part of the log: some milliseconds.
const MOST_LOOKS: usize = 4096;

/// First and last position of events that pass, or of a run of events that may pass.
type Span = (u64, u64);

/// Returns the events after a position that pass a filter, with the bounds of the same transaction.
pub(crate) fn read_topics(
    log: &LogView<'_>,
    after: Position,
    filter: &TopicFilter,
    limit: PageLimit,
) -> Result<TopicPage, Failure> {
    if filter.topics().len() > FEW {
        let page = read(log, after, limit)?;
        let count = page.events.len();
        let read = filter.of_page(after, page);
        let is_enough = read.page.events.len() * ENOUGH >= count;
        if is_enough || read.upto >= read.page.bounds.newest {
            return Ok(read);
        }
    }
    let start = number(after).max(log.head.floor);
    let (spans, found_upto) = find(log, start, filter, limit.events)?;
    let mut page = PageBuilder::new(limit);
    let is_whole = fetch(log, start, spans, filter, &mut page)?;
    let page = page.finish(log)?;
    let upto = match page.events.last() {
        Some(last) if !is_whole => last.position,
        _ => Position::from(found_upto).max(after),
    };
    Ok(TopicPage { page, upto })
}

/// Returns the positions of at least so many events if there are as many, and the position up to which these are all. After many topics without enough
/// events it returns what it has.
fn find(
    log: &LogView<'_>,
    start: u64,
    filter: &TopicFilter,
    count: usize,
) -> Result<(Vec<Span>, u64), Failure> {
    let (newest, indexed) = (log.head.newest, log.head.newest_with_topics);
    let (mut spans, mut at) = (Vec::new(), start);
    if at < indexed {
        let index = log.topics()?;
        let (mut left, mut looks) = (count.max(1) as u64, 0);
        while at < indexed {
            if left == 0 || looks > MOST_LOOKS {
                return Ok((spans, at));
            }
            let part_end = (at + 1) | (PART - 1);
            let (more, upto) = in_part(&index, filter, (at + 1, part_end.min(indexed)), left)?;
            for (first, last) in &more {
                left = left.saturating_sub(last - first + 1);
            }
            spans.extend(more);
            looks += filter.topics().len() + 1;
            at = upto;
        }
    }
    if at < newest && filter.takes_those_without() {
        spans.push((at + 1, newest));
    }
    Ok((spans, newest))
}

/// Returns the spans in a part of the log, in order, and the position up to which these are all. If a topic has many events, that is before the end.
fn in_part(
    index: &TopicView,
    filter: &TopicFilter,
    within: Span,
    left: u64,
) -> Result<(Vec<Span>, u64), Failure> {
    let lists = filter.topics().len() + usize::from(filter.takes_those_without());
    let each = left.saturating_mul(2) / (lists as u64).max(1);
    let at_most = usize::try_from(each).unwrap_or(usize::MAX).max(SHORTEST);
    let (mut spans, mut upto) = (Vec::new(), within.1);
    let mut add = |list: Vec<Span>| {
        if list.len() >= at_most {
            upto = list.last().map_or(upto, |(_, last)| upto.min(*last));
        }
        spans.extend(list);
    };
    for topic in filter.topics() {
        add(index.of_topic(topic.as_str(), within, at_most)?);
    }
    if filter.takes_those_without() {
        add(index.runs(within, at_most)?);
    }
    spans.retain(|(first, _)| *first <= upto);
    spans.iter_mut().for_each(|(_, last)| *last = upto.min(*last));
    spans.sort_unstable();
    // An event may have several of the topics.
    spans.dedup();
    Ok((spans, upto))
}

/// Adds the events of these spans to a page. Returns true if all of them fit.
fn fetch(
    log: &LogView<'_>,
    start: u64,
    spans: Vec<Span>,
    filter: &TopicFilter,
    page: &mut PageBuilder,
) -> Result<bool, Failure> {
    let mut spans = spans.into_iter().peekable();
    'looks: while let Some(&(first, _)) = spans.peek() {
        for row in log.events.range(first..)? {
            let row = row?;
            let row = Row::of(&row);
            for event in row.events(start) {
                let event = event?;
                if !is_in(&mut spans, event.position) {
                    continue;
                }
                let topics = event.topics.decode()?;
                // The filter decides again: no damage to the index gives a stream an event of others.
                if filter.takes(&topics) && !page.add(&event, topics) {
                    return Ok(false);
                }
            }
            let next = row.last().saturating_add(1);
            if !is_in(&mut spans, next) {
                continue 'looks;
            }
        }
        // The other events are gone.
        break;
    }
    Ok(true)
}

/// Skips the spans before this position, and returns true if the next one has it.
fn is_in(spans: &mut Peekable<impl Iterator<Item = Span>>, position: u64) -> bool {
    while spans.next_if(|(_, last)| *last < position).is_some() {}
    spans.peek().is_some_and(|(first, _)| *first <= position)
}
