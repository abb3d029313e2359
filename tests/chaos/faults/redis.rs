//! Redis.

use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use fastrand::Rng;
use futures_util::future::BoxFuture;
use sse_conformance::engines;
use sse_conformance::suite::store_engine::Networked;
use sse_core::store::Store;
use sse_core::{Error, StoreOptions, async_trait};
use sse_test_kit::engines::EngineServer;
use sse_test_kit::engines::JumpingClock;
use tempfile::TempDir;
use tokio::sync::Mutex;
use tokio::time::{sleep, timeout};

use super::clock;
use super::network::{self, Lines, TO_A_SERVER};
use super::{Kind, NAME, Subject, TO_ANY, a_while, begin_a_copy, inflict_on_any, lose_all};
use crate::run::Chaos;

const STREAM: &str = "sse:{chaos}";

/// Starts one more server.
type Start = for<'a> fn(&'a JumpingClock) -> BoxFuture<'a, engines::Redis>;

pub(crate) struct Redis {
    start: Start,
    /// That which takes what is written.
    server: Mutex<Arc<engines::Redis>>,
    lines: Lines,
    /// That of all its servers.
    clock: JumpingClock,
}

impl Redis {
    /// Starts the first, and later all others, by this.
    pub(crate) async fn start(start: Start) -> Self {
        let clock = JumpingClock::start();
        let server = start(&clock).await;
        let lines = Lines::to(server.address()).await;
        Self { start, server: Mutex::new(server.into()), lines, clock }
    }

    async fn server(&self) -> Arc<engines::Redis> {
        self.server.lock().await.clone()
    }

    /// A replica takes over that has been cut off from its master for a while.
    async fn fail_over(
        &self,
        is_demoted: bool,
        chaos: &Chaos,
        rng: &mut Rng,
    ) -> Result<(), String> {
        let (first, second) = (self.server().await, (self.start)(&self.clock).await);
        let (one, two) = (first.address(), second.address());
        // A master waits 5 s by default for more replicas before it sends anything.
        ask(&first, "CONFIG SET repl-diskless-sync-delay 0").await?;
        ask(&second, "CONFIG SET repl-diskless-sync-delay 1").await?;
        ask(&second, &format!("REPLICAOF {} {}", one.ip(), one.port())).await?;
        begin_a_copy(chaos);
        let offset = |text: String, name: &str| {
            let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
            line.and_then(|offset| offset.trim().parse::<i64>().ok()).unwrap_or(-1)
        };
        let wanted = offset(ask(&first, "INFO replication").await?, "master_repl_offset");
        let follows = async {
            loop {
                let text = second.command("INFO replication").await.unwrap_or_default();
                if text.contains("master_link_status:up")
                    && offset(text, "slave_repl_offset") >= wanted
                {
                    return;
                }
                sleep(Duration::from_millis(10)).await;
            }
        };
        let followed = timeout(Duration::from_secs(20), follows).await;
        followed.map_err(|_| "the replica does not follow".to_owned())?;
        ask(&second, "REPLICAOF NO ONE").await?;
        a_while(rng).await;
        if is_demoted {
            ask(&first, &format!("REPLICAOF {} {}", two.ip(), two.port())).await?;
            // It has what it had for a second, and then what the other has.
            sleep(Duration::from_millis(rng.u64(100..2500))).await;
        }
        self.lines.lead_to(two);
        first.stop().await;
        *self.server.lock().await = second.into();
        Ok(())
    }

    async fn restore(&self, chaos: &Chaos, rng: &mut Rng) -> Result<(), String> {
        let (server, aside) = (self.server().await, TempDir::new().expect("a temporary folder"));
        let folder = ask(&server, "CONFIG GET dir").await?;
        let folder =
            PathBuf::from(folder.lines().rfind(|line| line.starts_with('/')).expect("a path"));
        let (files, copy) = (folder.join("appendonlydir"), aside.path().join("appendonlydir"));
        begin_a_copy(chaos);
        server.stop().await;
        run(Command::new("cp").arg("-a").args([&files, &copy]));
        server.start().await;
        a_while(rng).await;
        server.stop().await;
        run(Command::new("rm").arg("-r").arg(&files));
        run(Command::new("cp").arg("-a").args([&copy, &files]));
        server.start().await;
        Ok(())
    }
}

pub(super) fn run(command: &mut Command) {
    let status = command.status();
    assert!(status.is_ok_and(|status| status.success()), "{command:?}");
}

async fn ask(server: &engines::Redis, command: &str) -> Result<String, String> {
    let answer = server.command(command).await.filter(|answer| !answer.starts_with('-'));
    answer.ok_or_else(|| format!("{command} is refused"))
}

#[async_trait]
impl Subject for Redis {
    fn kinds(&self) -> Vec<Kind> {
        let own = [Kind::Clock, Kind::Trim, Kind::Remove, Kind::Drop];
        let to_two = [Kind::FailOver, Kind::Demote, Kind::Restore];
        [&TO_ANY[..], &TO_A_SERVER, &own, &to_two].concat()
    }

    async fn open(&self, line: usize, options: StoreOptions) -> Result<Arc<dyn Store>, Error> {
        self.server().await.open_through(self.lines.address(line), NAME, options).await
    }

    async fn inflict(&self, kind: Kind, chaos: &Chaos, rng: &mut Rng) -> Result<(), String> {
        let server = self.server().await;
        match kind {
            Kind::Trim => {
                for _ in 0..3 {
                    let kept = rng.usize(..50);
                    ask(&server, &format!("XTRIM {STREAM} MAXLEN {kept}")).await?;
                    a_while(rng).await;
                }
            }
            Kind::Remove => {
                for _ in 0..5 {
                    let Some((id, number)) = chaos.book().recent(rng.usize(..)) else { break };
                    chaos.book().wants_deleted(number);
                    let (_, entry) = id.as_str().split_once('.').expect("an id of a log");
                    ask(&server, &format!("XDEL {STREAM} {entry}")).await?;
                }
            }
            Kind::Drop => {
                lose_all(chaos);
                ask(&server, &format!("DEL {STREAM}")).await?;
            }
            Kind::Clock => clock::jump(&self.clock, clock::OF_A_SERVER, rng).await,
            Kind::FailOver => self.fail_over(false, chaos, rng).await?,
            Kind::Demote => self.fail_over(true, chaos, rng).await?,
            Kind::Restore => self.restore(chaos, rng).await?,
            kind if TO_A_SERVER.contains(&kind) => {
                network::inflict(kind, &*server, &self.lines, rng).await
            }
            kind => inflict_on_any(kind, chaos, rng).await?,
        }
        Ok(())
    }

    async fn settle(&self) {
        self.lines.open();
    }
}
