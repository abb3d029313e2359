//! redb: a file, which another process has open for both.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use fastrand::Rng;
use sse_conformance::suite::store_process::StoreProcess;
use sse_core::store::Store;
use sse_core::{Error, StoreOptions, async_trait};
use sse_test_kit::engines::JumpingClock;
use tempfile::TempDir;
use tokio::time::sleep;

use super::clock;
use super::{Kind, NAME, Subject, TO_ANY, a_while, begin_a_copy, inflict_on_any, lose_all, retain};
use crate::options::log_options;
use crate::run::Chaos;

pub(crate) struct Redb {
    process: StoreProcess,
    folder: TempDir,
    clock: JumpingClock,
}

impl Redb {
    pub(crate) async fn start() -> Self {
        let folder = TempDir::new().expect("a temporary folder");
        let url = format!("redb:{}", folder.path().join("log.redb").display());
        let clock = JumpingClock::start();
        let environment = clock.environment();
        let environment: Vec<_> = environment.iter().map(|(a, b)| (&**a, &**b)).collect();
        let process = StoreProcess::start_with(&url, &environment);
        Self { process, folder, clock }
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("log.redb")
    }

    /// A copy, which is made while nobody has the file open.
    async fn copy(&self, chaos: &Chaos) -> PathBuf {
        let copy = self.folder.path().join("copy.redb");
        begin_a_copy(chaos);
        let put_aside = || _ = std::fs::copy(self.file(), &copy).expect("a copy");
        self.process.kill_and_start(put_aside).await;
        copy
    }
}

#[async_trait]
impl Subject for Redb {
    fn kinds(&self) -> Vec<Kind> {
        let own = [Kind::Kill, Kind::Pause, Kind::Clock, Kind::Drop, Kind::Restore, Kind::Replace];
        [&TO_ANY[..], &own].concat()
    }

    async fn open(&self, _: usize, options: StoreOptions) -> Result<Arc<dyn Store>, Error> {
        self.process.open(NAME, options).await
    }

    async fn inflict(&self, kind: Kind, chaos: &Chaos, rng: &mut Rng) -> Result<(), String> {
        match kind {
            Kind::Kill => self.process.kill_and_start(|| ()).await,
            Kind::Pause => {
                self.process.pause().await;
                sleep(Duration::from_millis(rng.u64(100..5000))).await;
                self.process.resume().await;
            }
            Kind::Clock => {
                for _ in 0..2 {
                    clock::jump(&self.clock, clock::OF_A_FILE, rng).await;
                    // The process reads the clock when it opens the file.
                    self.process.kill_and_start(|| ()).await;
                    retain(chaos, &log_options(self).retention()).await?;
                }
            }
            Kind::Drop => {
                lose_all(chaos);
                self.process
                    .kill_and_start(|| std::fs::remove_file(self.file()).expect("it is there"))
                    .await;
            }
            Kind::Restore => {
                let copy = self.copy(chaos).await;
                a_while(rng).await;
                let restore =
                    || std::fs::rename(copy, self.file()).expect("they are in one folder");
                self.process.kill_and_start(restore).await;
            }
            Kind::Replace => {
                let copy = self.copy(chaos).await;
                a_while(rng).await;
                std::fs::rename(copy, self.file()).expect("they are in one folder");
                a_while(rng).await;
                self.process.kill_and_start(|| ()).await;
            }
            kind => inflict_on_any(kind, chaos, rng).await?,
        }
        Ok(())
    }
}
