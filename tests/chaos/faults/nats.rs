//! NATS.

use std::process::Command;
use std::sync::Arc;

use fastrand::Rng;
use serde_json::{Value, json};
use sse_conformance::engines;
use sse_conformance::suite::store_engine::Networked;
use sse_core::store::Store;
use sse_core::{Error, StoreOptions, async_trait};
use sse_test_kit::engines::EngineServer;
use tempfile::TempDir;
use tokio::task::block_in_place;

use super::network::{self, Lines, TO_A_SERVER};
use super::redis::run;
use super::{Kind, NAME, Subject, TO_ANY, a_while, begin_a_copy, inflict_on_any, lose_all};
use crate::run::Chaos;

const STREAM: &str = "SSE_chaos";

pub(crate) struct Nats {
    server: engines::Nats,
    lines: Lines,
}

impl Nats {
    pub(crate) async fn start() -> Self {
        let server = engines::Nats::start().await;
        let lines = Lines::to(server.address()).await;
        Self { server, lines }
    }

    fn ask(&self, subject: &str, question: &Value) -> Result<Value, String> {
        let answer = block_in_place(|| self.server.api(subject, question));
        let answer = answer.ok_or_else(|| format!("{subject}: no answer"))?;
        match answer.get("error") {
            Some(error) => Err(format!("{subject}: {error}")),
            None => Ok(answer),
        }
    }

    /// The oldest message that is kept, and the newest.
    fn ends(&self) -> Result<(u64, u64), String> {
        let state = &self.ask(&format!("STREAM.INFO.{STREAM}"), &json!({}))?["state"];
        let end = |name: &str| state[name].as_u64().unwrap_or_default();
        Ok((end("first_seq"), end("last_seq")))
    }

    async fn restore(&self, chaos: &Chaos, rng: &mut Rng) {
        let aside = TempDir::new().expect("a temporary folder");
        let (files, copy) = (self.server.jetstream(), aside.path().join("jetstream"));
        begin_a_copy(chaos);
        self.server.stop().await;
        run(Command::new("cp").arg("-a").args([&files, &copy]));
        EngineServer::start(&self.server).await;
        a_while(rng).await;
        self.server.stop().await;
        run(Command::new("rm").arg("-r").arg(&files));
        run(Command::new("cp").arg("-a").args([&copy, &files]));
        EngineServer::start(&self.server).await;
    }
}

#[async_trait]
impl Subject for Nats {
    fn kinds(&self) -> Vec<Kind> {
        let own = [Kind::Purge, Kind::Remove, Kind::Drop, Kind::Restore];
        [&TO_ANY[..], &TO_A_SERVER, &own].concat()
    }

    async fn open(&self, line: usize, options: StoreOptions) -> Result<Arc<dyn Store>, Error> {
        self.server.open_through(self.lines.address(line), NAME, options).await
    }

    async fn inflict(&self, kind: Kind, chaos: &Chaos, rng: &mut Rng) -> Result<(), String> {
        match kind {
            Kind::Purge => {
                lose_all(chaos);
                for _ in 0..3 {
                    let (oldest, newest) = self.ends()?;
                    let kept = newest.saturating_sub(rng.u64(..50)).max(oldest);
                    self.ask(&format!("STREAM.PURGE.{STREAM}"), &json!({ "seq": kept }))?;
                    inflict_on_any(Kind::Epoch, chaos, rng).await?;
                    a_while(rng).await;
                }
            }
            Kind::Remove => {
                for _ in 0..5 {
                    let Some((id, number)) = chaos.book().recent(rng.usize(..)) else { break };
                    let is_alone = chaos
                        .book()
                        .entries
                        .get(&number)
                        .is_some_and(|entry| entry.batch.is_none());
                    let (_, position) = id.as_str().split_once('.').expect("an id of a log");
                    let message: u64 =
                        position.split('-').next().and_then(|hi| hi.parse().ok()).unwrap_or(0);
                    if is_alone {
                        chaos.book().wants_deleted(number);
                        let question = json!({ "seq": message });
                        // It may be gone.
                        drop(self.ask(&format!("STREAM.MSG.DELETE.{STREAM}"), &question));
                    }
                }
            }
            Kind::Drop => {
                lose_all(chaos);
                self.ask(&format!("STREAM.DELETE.{STREAM}"), &json!({}))?;
            }
            Kind::Restore => self.restore(chaos, rng).await,
            kind if TO_A_SERVER.contains(&kind) => {
                network::inflict(kind, &self.server, &self.lines, rng).await;
            }
            kind => inflict_on_any(kind, chaos, rng).await?,
        }
        Ok(())
    }

    async fn settle(&self) {
        self.lines.open();
    }
}
