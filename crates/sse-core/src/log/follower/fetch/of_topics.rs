//! The newest events of some topics, which may lie far apart in the store.

use std::collections::VecDeque;

use crate::Position;
use crate::log::follower::shared::Follow;
use crate::store::{PageLimit, StoreError, TopicFilter};

/// The number of events among which it looks first.
const FIRST: usize = 1000;

/// Returns the position before the newest `count` events that pass the filter, or a position before all of them if there are fewer. It looks
/// among the newest events of the log, then among more of them.
pub(super) async fn before_last(
    follow: &Follow,
    filter: &TopicFilter,
    count: usize,
    limit: PageLimit,
) -> Result<Position, StoreError> {
    let mut among = FIRST.max(count);
    loop {
        let store = &follow.store;
        let begin = follow.within(store.before_last(PageLimit::of_events(among))).await?;
        // What comes while it reads is given in any case: it does not run after a busy log.
        let (mut after, mut newest, mut end) = (begin, VecDeque::new(), None);
        let bounds = loop {
            let read = follow.read_topics(after, filter, limit).await?;
            for event in &read.page.events {
                if newest.len() > count {
                    newest.pop_front();
                }
                newest.push_back(event.position);
            }
            let end = *end.get_or_insert(read.page.bounds.newest);
            if read.upto >= end || read.upto <= after {
                break read.page.bounds;
            }
            after = read.upto;
        };
        match newest.front() {
            Some(before) if newest.len() > count => return Ok(*before),
            Some(first) if newest.len() == count => return Ok(first.previous()),
            // These were all.
            _ if begin <= bounds.floor => return Ok(begin),
            _ => among = among.saturating_mul(8),
        }
    }
}
