use std::collections::HashMap;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use sse_core::StoreOptions;
use sse_core::store::{EncodedEvent, Page, PageLimit, Retention, Store, StoreError};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Stdout};
use tokio::sync::Mutex;

use super::wire::{Answer, Call, Reply, Request, WireBounds, WireEvent, parse};
use crate::engines::open_url;

/// Does what the other process asks for, until that has ended.
///
/// # Errors
///
/// If standard input cannot be read.
///
/// # Panics
///
/// If a line is not a request.
pub async fn host(url: String) -> io::Result<()> {
    let host = Arc::new(Host { url, logs: Mutex::default(), stdout: tokio::io::stdout().into() });
    let mut lines = BufReader::new(tokio::io::stdin()).lines();
    while let Some(line) = lines.next_line().await? {
        let request: Request = serde_json::from_str(&line).expect("a line of ours");
        let host = host.clone();
        tokio::spawn(async move { host.reply(request).await });
    }
    Ok(())
}

struct Host {
    url: String,
    /// The logs by their names and windows.
    logs: Mutex<HashMap<(String, u64), Arc<dyn Store>>>,
    stdout: Mutex<Stdout>,
}

impl Host {
    async fn reply(&self, request: Request) {
        let answer = match self.log(request.log, request.window).await {
            Ok(log) => answer(&*log, request.call).await,
            Err(error) => Err(error),
        };
        let reply = Reply { number: request.number, answer: answer.map_err(Into::into) };
        let mut line = serde_json::to_vec(&reply).expect("texts and numbers have JSON");
        line.push(b'\n');
        let mut stdout = self.stdout.lock().await;
        // If the reader has gone, it does not wait for the line.
        drop(stdout.write_all(&line).await);
        drop(stdout.flush().await);
    }

    async fn log(&self, name: String, window: u64) -> Result<Arc<dyn Store>, StoreError> {
        let mut logs = self.logs.lock().await;
        if let Some(log) = logs.get(&(name.clone(), window)) {
            return Ok(log.clone());
        }
        let idempotency_window = Duration::from_millis(window);
        let options = StoreOptions::new().idempotency_window(idempotency_window);
        let log = open_url(&self.url, &name, options).await.map_err(StoreError::failed)?;
        logs.insert((name, window), log.clone());
        Ok(log)
    }
}

async fn answer(log: &dyn Store, call: Call) -> Result<Answer, StoreError> {
    Ok(match call {
        Call::Append(events) => log.append(&encoded(events)).await?.into(),
        Call::FinishWith(events) => log.finish_with(&encoded(events)).await?.into(),
        Call::Bounds => Answer::from(&Page { bounds: log.bounds().await?, events: Vec::new() }),
        Call::Read { after, events, bytes } => {
            Answer::from(&log.read(parse(&after), PageLimit { events, bytes }).await?)
        }
        Call::BeforeLast { events, bytes } => {
            Answer::Text(log.before_last(PageLimit { events, bytes }).await?.to_string())
        }
        Call::BeforeSince { age } => {
            Answer::Text(log.before_since(Duration::from_millis(age)).await?.to_string())
        }
        Call::Next { after, known } => Answer::from(&next(log, &after, known).await?),
        Call::Retain { events, bytes, age } => {
            let age = age.map(Duration::from_millis);
            let grows_old = log.retain(&Retention { events, bytes, age }).await?;
            Answer::Retained(grows_old.map(|time| time.as_millis() as u64))
        }
        Call::Finish => done(log.finish().await)?,
        Call::Delete(event) => done(log.delete(parse(&event)).await)?,
        Call::BeginEpoch(epoch) => Answer::Text(log.begin_epoch(parse(&epoch)).await?.to_string()),
    })
}

fn encoded(events: Vec<WireEvent>) -> Vec<EncodedEvent> {
    events.into_iter().map(Into::into).collect()
}

fn done(result: Result<(), StoreError>) -> Result<Answer, StoreError> {
    result.map(|()| Answer::Done)
}

async fn next(log: &dyn Store, after: &str, known: Option<WireBounds>) -> Result<Page, StoreError> {
    let mut pages = log.follow(parse(after)).await?;
    // A change between two calls is seen here.
    let bounds = log.bounds().await?;
    let is_news = |page: &Page| !page.events.is_empty() || known != Some(page.bounds.into());
    if bounds.newest <= parse(after) && known != Some(bounds.into()) {
        return Ok(Page { bounds, events: Vec::new() });
    }
    loop {
        match pages.next().await {
            Some(page) => {
                let page = page?;
                if is_news(&page) {
                    return Ok(page);
                }
            }
            None => return Err(StoreError::failed("the store can be followed no more")),
        }
    }
}
