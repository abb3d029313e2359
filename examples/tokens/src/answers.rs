//! The answers, each a log: written once, read by each request that has its key.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use sse_axum::{EventLog, Feed, Shutdown, Start};

use crate::question::Question;
use crate::shape::{Ending, Shape};
use crate::stand_in;

/// The time for which an answer is written on though no client reads it: long enough to come back after a cut, or from a reload.
const PATIENCE: Duration = Duration::from_secs(2);

/// The number of answers that are remembered.
const ANSWERS: usize = 1000;

#[derive(Clone, Default)]
pub(crate) struct Answers {
    /// The answers by their ids.
    known: Arc<Mutex<VecDeque<(String, EventLog)>>>,
    /// Stops the writing. No feed is given it: an answer that is being read ends with an error, and not as if it were whole.
    pub(crate) shutdown: Shutdown,
}

/// The reason why an answer was not written to its end.
type Failure = Box<dyn std::error::Error + Send + Sync>;

impl Answers {
    /// Returns the feed of the answer with this key, from its beginning or from the client's position. The first request with a key begins the answer.
    pub(crate) fn feed<S: Shape>(&self, key: &str, question: &Question) -> Feed {
        let id = format!("{}{key}", S::PREFIX);
        let mut answers = self.lock();
        let known = answers.iter().find(|(of, _)| *of == id).map(|(_, log)| log.clone());
        let log = known.unwrap_or_else(|| {
            let log = EventLog::in_memory(10_000);
            answers.push_back((id.clone(), log.clone()));
            if answers.len() > ANSWERS {
                answers.pop_front();
            }
            let words = stand_in::answer(&question.prompt());
            let writing =
                self.clone().write_or_fail::<S>(id, words, question.max_tokens, log.clone());
            tokio::spawn(writing);
            log
        });
        log.feed().start_at(Start::Oldest).retry(Duration::from_millis(500))
    }

    /// Writes an answer. If that fails, the last event of its log is an error, and the next request with this key begins another answer.
    async fn write_or_fail<S: Shape>(
        self,
        id: String,
        words: Vec<String>,
        max_tokens: Option<usize>,
        log: EventLog,
    ) {
        let Err(failure) = self.write::<S>(&id, &words, max_tokens, &log).await else { return };
        println!("{failure}");
        self.lock().retain(|(of, _)| *of != id);
        let told = async { log.finish_with([S::failure(&failure.to_string())?]).await };
        if let Err(error) = told.await {
            println!("{id}: its readers are not told: {error}");
            // They still do not wait for more.
            log.finish().await.unwrap_or_else(|error| println!("{id}: {error}"));
        }
    }

    /// Writes for as long as the answer has a reader: a model that writes for nobody costs money.
    async fn write<S: Shape>(
        &self,
        id: &str,
        words: &[String],
        max_tokens: Option<usize>,
        log: &EventLog,
    ) -> Result<(), Failure> {
        log.append_all(S::begin(id)?).await?;
        let limit = max_tokens.unwrap_or(usize::MAX).min(words.len());
        let mut heard = Instant::now();
        for (written, word) in words[..limit].iter().enumerate() {
            tokio::select! {
                () = tokio::time::sleep(Duration::from_millis(40)) => {} // the model thinks
                () = self.shutdown.begun() => return Err("the server stops: send the same request again".into()),
            }
            if log.stats().open_streams > 0 {
                heard = Instant::now();
            } else if heard.elapsed() > PATIENCE {
                let all = words.len();
                return Err(
                    format!("nobody listens: stopped after {written} of {all} words").into()
                );
            }
            log.append(S::word(id, word)?).await?;
        }
        let ending = if limit < words.len() { Ending::Limit } else { Ending::Said };
        log.finish_with(S::end(id, ending, limit)?).await?;
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<(String, EventLog)>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
