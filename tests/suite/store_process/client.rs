use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};

use sse_core::store::StoreError;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::process::{ChildStdin, ChildStdout};
use tokio::sync::oneshot;

use super::wire::{Answer, Call, Reply, Request};

/// A connection to the process: any number of questions at a time, answered in any order.
#[derive(Debug, Clone)]
pub(super) struct Client {
    stdin: Arc<tokio::sync::Mutex<ChildStdin>>,
    /// None once the process has ended.
    waiting: Arc<Mutex<Option<Waiting>>>,
    number: Arc<AtomicU64>,
}

type Waiting = HashMap<u64, oneshot::Sender<Reply>>;

impl Client {
    pub(super) fn new(stdin: ChildStdin, stdout: ChildStdout) -> Self {
        let waiting = Arc::new(Mutex::new(Some(Waiting::new())));
        tokio::spawn(receive(stdout, waiting.clone()));
        Self { stdin: Arc::new(stdin.into()), waiting, number: Arc::default() }
    }

    pub(super) async fn call(
        &self,
        log: &str,
        window: u64,
        call: Call,
    ) -> Result<Answer, StoreError> {
        let (sender, reply) = oneshot::channel();
        let number = self.number.fetch_add(1, Relaxed);
        match &mut *self.waiting.lock().unwrap_or_else(PoisonError::into_inner) {
            Some(waiting) => _ = waiting.insert(number, sender),
            None => return Err(StoreError::failed("the process has ended")),
        }
        let request = Request { number, log: log.to_owned(), window, call };
        let mut line = serde_json::to_vec(&request).expect("texts and numbers have JSON");
        line.push(b'\n');
        // A line must not be cut off if the caller leaves.
        let stdin = self.stdin.clone();
        tokio::spawn(async move { stdin.lock().await.write_all(&line).await });
        let ended = |_| StoreError::outcome_unknown("the process has ended");
        Ok(reply.await.map_err(ended)?.answer?)
    }
}

async fn receive(stdout: ChildStdout, waiting: Arc<Mutex<Option<Waiting>>>) {
    let mut lines = BufReader::new(stdout).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        // The last line of a process that was killed may be a part of one.
        let Ok(reply) = serde_json::from_str::<Reply>(&line) else { break };
        let mut waiting = waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(sender) = waiting.as_mut().and_then(|waiting| waiting.remove(&reply.number)) {
            // The caller may have left.
            drop(sender.send(reply));
        }
    }
    waiting.lock().unwrap_or_else(PoisonError::into_inner).take();
}
