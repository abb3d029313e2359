//! Looks into any event log by its URL.
//!
//! ```text
//! cargo run -p look-inside -- redb:/var/lib/shop/events.redb prices list
//! cargo run -p look-inside -- redis:redis://127.0.0.1/ prices follow
//! cargo run -p look-inside -- serve redis:redis://127.0.0.1/
//! ```
//!
//! It asks the store itself, without an `EventLog`, which would drop the events that are over its limits.
#![forbid(unsafe_code)]

mod serve;
mod stores;

use std::collections::BTreeMap;
use std::error::Error;
use std::io::{Write, stdout};
use std::process::ExitCode;

use futures_util::TryStreamExt;
use sse_core::store::{Page, PageLimit, Retention, Store, TopicFilter, TopicPage};
use sse_core::{Position, Topic};

use stores::Engine;

const USAGE: &str =
    "look-inside URL NAME list | topics | topic TOPIC | read ID | follow | trim EVENTS
look-inside serve URL [--write]

  URL   redb:PATH, redis:URL, nats:URL or postgres:URL
  list    what is kept: an id, a size and the first line of each event
  topics  each topic, and the number of its events
  topic   the events of one topic
  read    one event
  follow  each event that comes
  trim    drops all events except so many of the newest
  serve   a page at http://127.0.0.1:3000, or at PORT of the environment";

/// The most events and bytes that are read at a time.
const LIMIT: PageLimit = PageLimit { events: 1000, bytes: 1024 * 1024 };

type Result<T> = std::result::Result<T, Box<dyn Error>>;

#[tokio::main]
async fn main() -> ExitCode {
    let Err(error) = run().await else { return ExitCode::SUCCESS };
    eprint!("{error}");
    let mut cause = error.source();
    while let Some(error) = cause {
        eprint!(": {error}");
        cause = error.source();
    }
    eprintln!();
    ExitCode::FAILURE
}

async fn run() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        ["serve", url] => return serve::serve(url, false).await,
        ["serve", url, "--write"] | ["serve", "--write", url] => return serve::serve(url, true).await,
        _ => {}
    }
    let [url, name, command @ ..] = arguments.as_slice() else { return Err(USAGE.into()) };
    let store = Engine::connect(url).await?.store(name).await?;
    match command {
        ["list"] => list(&*store).await,
        ["topics"] => topics(&*store).await,
        ["topic", topic] => topic_of(&*store, topic).await,
        ["read", id] => read(&*store, id).await,
        ["follow"] => follow(&*store).await,
        ["trim", events] => trim(&*store, events.parse()?).await,
        _ => Err(USAGE.into()),
    }
}

async fn list(store: &dyn Store) -> Result<()> {
    let bounds = store.bounds().await?;
    let mut after = bounds.floor;
    loop {
        let page = store.read(after, LIMIT).await?;
        let Some(last) = page.events.last() else { break };
        after = last.position;
        print(&page)?;
    }
    let end = if bounds.is_finished { "; the newest is the last" } else { "" };
    println!("newest: {}{end}", bounds.newest.id(bounds.epoch));
    Ok(())
}

async fn topics(store: &dyn Store) -> Result<()> {
    let (mut topics, mut without) = (BTreeMap::<Topic, usize>::new(), 0);
    let mut after = store.bounds().await?.floor;
    loop {
        let page = store.read(after, LIMIT).await?;
        let Some(last) = page.events.last() else { break };
        after = last.position;
        without += page.events.iter().filter(|event| event.topics.is_empty()).count();
        for topic in page.events.iter().flat_map(|event| event.topics.iter()) {
            *topics.entry(topic.clone()).or_default() += 1;
        }
    }
    for (topic, events) in topics {
        println!("{events:>7} {topic}");
    }
    println!("{without:>7} without a topic");
    Ok(())
}

/// By the index of the store, without those that have no topic.
async fn topic_of(store: &dyn Store, topic: &str) -> Result<()> {
    let filter = TopicFilter::new([Topic::try_from(topic)?], false);
    let mut after = store.bounds().await?.floor;
    loop {
        let TopicPage { page, upto } = store.read_topics(after, &filter, LIMIT).await?;
        print(&page)?;
        if upto <= after || upto >= page.bounds.newest {
            return Ok(());
        }
        after = upto;
    }
}

async fn read(store: &dyn Store, id: &str) -> Result<()> {
    let (epoch, position) = id.split_once('.').ok_or("an id is `epoch.position`")?;
    let position: Position = position.parse()?;
    let page = store.read(position.previous(), PageLimit { events: 1, ..LIMIT }).await?;
    let event = page.events.first().filter(|event| event.position == position);
    match event.filter(|_| page.bounds.epoch.as_str() == epoch) {
        Some(event) => Ok(stdout().write_all(&event.block)?),
        None => Err(format!("no event {id} is kept").into()),
    }
}

async fn follow(store: &dyn Store) -> Result<()> {
    let newest = store.bounds().await?.newest;
    let mut pages = store.follow(newest).await?;
    while let Some(page) = pages.try_next().await? {
        print(&page)?;
    }
    Err("the store has ended the connection".into())
}

async fn trim(store: &dyn Store, events: usize) -> Result<()> {
    store.retain(&Retention { events, bytes: usize::MAX, age: None }).await?;
    let bounds = store.bounds().await?;
    let oldest = bounds.oldest.map_or("none".into(), |oldest| oldest.id(bounds.epoch).to_string());
    println!("oldest: {oldest}");
    Ok(())
}

fn print(page: &Page) -> Result<()> {
    let mut out = stdout().lock();
    for event in &page.events {
        let (id, size) = (event.position.id(page.bounds.epoch), event.block.len());
        let text = String::from_utf8_lossy(&event.block);
        let data = text.lines().find_map(|line| line.strip_prefix("data: ")).unwrap_or_default();
        let key = event.key.as_deref().map(|key| format!("[{key}] ")).unwrap_or_default();
        let topics: String = event.topics.iter().map(|topic| format!("({topic}) ")).collect();
        writeln!(out, "{id} {size:>7} {key}{topics}{data}")?;
    }
    Ok(out.flush()?)
}
