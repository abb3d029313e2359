//! Reading the events of some topics.

use bytes::{Bytes, BytesMut};

use crate::chunk::Entry;
use crate::log::tail::page::PAGE_SIZE;
use crate::log::tail::topics::TopicIndex;
use crate::log::tail::{Read, Tail};
use crate::store::Topics;
use crate::{Position, Topic};

/// The number of events that are read at once.
const AT_ONCE: usize = 1000;

impl Tail {
    /// Returns the index of the events of each topic, which it makes if there is none.
    pub(crate) fn topic_index(&mut self) -> &mut TopicIndex {
        let (base, newest, required) = (self.base, self.newest, self.limits.topics_required);
        self.topics.get_or_insert_with(|| Box::new(TopicIndex::new(base, newest, !required)))
    }

    /// Returns the index of the events of each topic, if there is one.
    pub(crate) fn topics(&self) -> Option<&TopicIndex> {
        self.topics.as_deref()
    }

    /// Returns the topics of an event.
    pub(crate) fn topics_of(&self, event: Position) -> Topics {
        self.topics.as_ref().map(|topics| topics.topics_of(event)).unwrap_or_default()
    }

    /// Returns the events of these lists and those without a topic, after this position, up to about a page.
    pub(crate) fn read_topics(&mut self, lists: &[usize], after: Position) -> Read {
        if after >= self.newest {
            return Read::End;
        }
        if !self.has_all_after(lists, after) {
            return Read::Gone;
        }
        if let Some(only) = self.topics.as_ref().and_then(|topics| topics.only_after(after, lists))
        {
            return self.event(only).map_or(Read::End, |bytes| Read::Events(bytes, only));
        }
        let events = self.of_topics(lists, after);
        let Some(last) = events.last().copied() else { return Read::End };
        let mut pieces = events.iter().filter_map(|event| self.event(*event));
        let bytes = match (events.len(), pieces.next()) {
            (1, Some(one)) => one,
            (_, first) => {
                let mut bytes = BytesMut::new();
                first.into_iter().chain(pieces).for_each(|piece| bytes.extend_from_slice(&piece));
                bytes.freeze()
            }
        };
        Read::Events(bytes, last)
    }

    /// Adds the offsets of the events in a piece that [`read_topics`](Tail::read_topics) returned for this position.
    pub(crate) fn list_topics(
        &self,
        lists: &[usize],
        after: Position,
        last: Position,
        entries: &mut Vec<Entry>,
    ) {
        let mut start = 0;
        for event in self.of_topics(lists, after).into_iter().take_while(|event| *event <= last) {
            let end = start + self.size_of(event);
            entries.push(Entry::new(event, start..end));
            start = end;
        }
    }

    /// Returns the events of these topics and those without one, after this position, in bytes of their own: some, of at most about a page.
    /// `None` if the tail may have dropped some of them.
    pub(crate) fn copy_topics(
        &mut self,
        topics: &[Topic],
        after: Position,
        limit: usize,
    ) -> Option<Vec<(Position, Bytes)>> {
        if after < self.base {
            return None;
        }
        let index = self.topic_index();
        let lists: Vec<_> = topics.iter().filter_map(|topic| index.list(topic)).collect();
        let events = self.of_topics(&lists, after).into_iter().take(limit);
        Some(events.filter_map(|event| Some((event, self.read_one(event)?))).collect())
    }

    /// Returns true if the tail has every event of these lists and without a topic after this position, however many others it has dropped.
    pub(crate) fn has_all_after(&self, lists: &[usize], after: Position) -> bool {
        let has_dropped = |topics: &TopicIndex| topics.has_dropped_after(after, lists);
        after >= self.base || self.topics.as_deref().is_some_and(|topics| !has_dropped(topics))
    }

    /// Returns true if the tail has no event of these lists and without a topic after this position.
    pub(crate) fn is_quiet_after(&self, lists: &[usize], after: Position) -> bool {
        self.topics.as_ref().is_some_and(|topics| topics.is_quiet_after(after, lists))
    }

    /// Returns the position up to which these lists and the events without a topic have nothing after a position: the newest, or that of the event
    /// before their next one, since a client may be told its id. `None` if the tail may have dropped some of them.
    pub(crate) fn quiet_up_to(&self, lists: &[usize], after: Position) -> Option<Position> {
        let topics = self.topics.as_ref().filter(|_| self.has_all_after(lists, after))?;
        let next = topics.after(after, lists, self.events_after(after)).next();
        let before = |next| self.events_before(next).next().map_or(after, |(event, _)| event);
        Some(next.map_or(self.newest, before).max(after))
    }

    /// Returns the event of these lists or without a topic that is this many events before a position; `None` if there are fewer.
    pub(crate) fn before_by(
        &self,
        lists: &[usize],
        position: Position,
        count: usize,
    ) -> Option<Position> {
        #[cfg(test)]
        crate::log::work::add(count);
        let topics = self.topics.as_ref()?;
        let number = count.checked_sub(1)?;
        topics.before(position, lists, self.early_before(topics, position)).nth(number)
    }

    /// Returns the position after the first `count` events of these lists and without a topic that come after this position; `None` if there are
    /// fewer.
    pub(crate) fn after_first_of(
        &self,
        lists: &[usize],
        after: Position,
        count: usize,
    ) -> Option<Position> {
        let Some(number) = count.checked_sub(1) else { return Some(after) };
        let topics = self.topics.as_ref()?;
        topics.after(after, lists, self.events_after(after)).nth(number)
    }

    /// Returns the newest events of these topics and those without one, before this position, newest first, in bytes of their own: some, of at
    /// most about a page.
    pub(crate) fn copy_topics_before(
        &mut self,
        topics: &[Topic],
        before: Position,
        limit: usize,
    ) -> Vec<(Position, Bytes)> {
        let index = self.topic_index();
        let lists: Vec<_> = topics.iter().filter_map(|topic| index.list(topic)).collect();
        let Some(topics) = &self.topics else { return Vec::new() };
        let events = topics.before(before, &lists, self.early_before(topics, before));
        let events = self.of_a_page(events, limit.min(AT_ONCE));
        events.into_iter().filter_map(|event| Some((event, self.read_one(event)?))).collect()
    }

    /// Returns the events before this position that came before there were topics, newest first.
    fn early_before<'a>(
        &'a self,
        topics: &TopicIndex,
        position: Position,
    ) -> impl Iterator<Item = Position> + 'a {
        self.events_before(topics.early_before(position)).map(|(event, _)| event)
    }

    /// Returns one event, in the bytes of its page.
    pub(crate) fn event(&mut self, event: Position) -> Option<Bytes> {
        match self.pages.get(self.page_after(event.previous())) {
            Some(page) => page.event(event),
            None => self.open.event(event),
        }
    }

    /// Returns the events of these lists and those without a topic, after this position: some, of at most about a page.
    fn of_topics(&self, lists: &[usize], after: Position) -> Vec<Position> {
        let Some(topics) = &self.topics else { return Vec::new() };
        self.of_a_page(topics.after(after, lists, self.events_after(after)), AT_ONCE)
    }

    /// Returns the first of these events, at most about a page.
    fn of_a_page(&self, events: impl Iterator<Item = Position>, limit: usize) -> Vec<Position> {
        let mut bytes = 0;
        let is_first = |bytes: usize| bytes == 0;
        let fits = |event: &Position| {
            let before = bytes;
            bytes += self.size_of(*event);
            is_first(before) || bytes <= PAGE_SIZE
        };
        events.take(limit).take_while(fits).collect()
    }

    fn size_of(&self, event: Position) -> usize {
        let page = self.pages.get(self.page_after(event.previous())).map(|page| &page.index);
        page.unwrap_or(&self.open.index).event(event).map_or(0, |range| range.len())
    }

    /// Returns all events after this position.
    fn events_after(&self, after: Position) -> impl Iterator<Item = Position> + '_ {
        let pages = self.pages.range(self.page_after(after)..).map(|page| &page.index);
        let indexes = pages.chain([&self.open.index]);
        indexes.flat_map(move |index| index.events_after(after)).map(|(event, _)| event)
    }
}
