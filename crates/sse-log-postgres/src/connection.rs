use std::fmt;
use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use deadpool_postgres::{
    ClientWrapper, Hook, HookError, Manager, ManagerConfig, Object, Pool, Runtime,
};
use tokio::sync::Notify;
use tokio::time::timeout;
use tokio_postgres::config::TargetSessionAttrs;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Config, Row, Statement};

use crate::Options;
use crate::dial::{Dial, Pooled, Task};
use crate::failure::{Cause, Failure, new_epoch};
use crate::session::Session;

/// The longest time that Postgres and Linux count in milliseconds.
pub(crate) const LONGEST: Duration = Duration::from_millis(i32::MAX as u64);

/// The connections of a log: some that are kept, and one for each follower.
pub(crate) struct Connections {
    pool: Pool,
    config: Config,
    dial: Arc<dyn Dial>,
    session: Arc<Session>,
    /// How long connecting may take, to all the servers there may be.
    connect_timeout: Duration,
    /// How long getting a connection may take, new or not, with what is done on it before it is used.
    lease_timeout: Duration,
    answer_timeout: Duration,
}

impl Connections {
    /// Getting a connection, and an answer, may each take nearly as long as `within`: so the log need not give up first, and it is known
    /// whether anything was sent.
    pub(crate) fn new(
        mut config: Config,
        dial: Arc<dyn Dial>,
        session: Session,
        options: &Options,
    ) -> Self {
        let within = options.log.store_timeout;
        let a_server = *config.get_connect_timeout().unwrap_or(&options.connect_timeout);
        // This is for TCP alone: a server may accept a connection and then say nothing.
        config.connect_timeout(a_server);
        let servers = config.get_hosts().len().max(config.get_hostaddrs().len()).max(1);
        let connect_timeout = a_server.saturating_mul(u32::try_from(servers).unwrap_or(u32::MAX));
        if servers > 1 && config.get_target_session_attrs() == TargetSessionAttrs::Any {
            // The first that can be reached may be a standby.
            config.target_session_attrs(TargetSessionAttrs::ReadWrite);
        }
        if config.get_tcp_user_timeout().is_none() {
            config.tcp_user_timeout(within.min(LONGEST));
        }
        let session = Arc::new(session);
        let begin = {
            let session = Arc::clone(&session);
            Hook::async_fn(move |client: &mut ClientWrapper, _| {
                let session = Arc::clone(&session);
                Box::pin(async move {
                    let epoch = sse_core::Epoch::random();
                    let epoch = epoch.map_err(|error| HookError::message(error.to_string()))?;
                    session.begin(client, epoch).await.map_err(HookError::Backend)
                })
            })
        };
        let pooled = Pooled(Arc::clone(&dial));
        let manager = Manager::from_connect(config.clone(), pooled, ManagerConfig::default());
        let pool = Pool::builder(manager)
            .runtime(Runtime::Tokio1)
            .create_timeout(Some(connect_timeout))
            .max_size(options.connections.max(1))
            .post_create(begin)
            .build();
        Self {
            pool: pool.expect("a pool that has a runtime can be built"),
            config,
            dial,
            session,
            connect_timeout,
            lease_timeout: within.mul_f64(0.8),
            answer_timeout: within.mul_f64(0.9),
        }
    }

    /// The answer to a statement. Where the log is missing it is created, and the statement sent once more.
    pub(crate) async fn query(
        &self,
        sql: &str,
        parameters: &[&(dyn ToSql + Sync)],
    ) -> Result<Vec<Row>, Failure> {
        match self.ask(sql, parameters).await {
            Err(failure) if failure.is_missing() => {
                self.begin().await?;
                self.ask(sql, parameters).await
            }
            answer => answer,
        }
    }

    /// The same, by one connection after the other, for as long as they are not what they were.
    async fn ask(
        &self,
        sql: &str,
        parameters: &[&(dyn ToSql + Sync)],
    ) -> Result<Vec<Row>, Failure> {
        let mut stale = 0;
        loop {
            match self.ask_one(sql, parameters).await {
                Err(failure) if failure.is_stale() && stale < self.pool.status().max_size => {
                    stale += 1;
                }
                answer => return answer,
            }
        }
    }

    async fn ask_one(
        &self,
        sql: &str,
        parameters: &[&(dyn ToSql + Sync)],
    ) -> Result<Vec<Row>, Failure> {
        let lease = self.lease().await?;
        let answer = timeout(self.answer_timeout, lease.query(sql, parameters)).await;
        let answer = answer.map_err(|_| Failure::after(Cause::NoAnswer(self.answer_timeout)))?;
        if !answer.as_ref().is_err_and(Failure::is_stale) {
            lease.keep();
        }
        answer
    }

    /// Has the log be there, with positions that rise.
    pub(crate) async fn begin(&self) -> Result<(), Failure> {
        let (lease, epoch) = (self.lease().await?, new_epoch()?);
        let begun = timeout(self.answer_timeout, self.session.begin(&lease, epoch)).await;
        let begun = begun.map_err(|_| Failure::before(Cause::NoAnswer(self.answer_timeout)))?;
        lease.keep();
        begun.map_err(|error| Failure::before(Cause::Postgres(error)))
    }

    async fn lease(&self) -> Result<Lease, Failure> {
        let object = timeout(self.lease_timeout, self.pool.get()).await;
        let object =
            object.map_err(|_| Failure::before(Cause::NoConnection(self.lease_timeout)))?;
        Ok(Lease(Some(object.map_err(|error| Failure::before(Cause::Connection(error)))?)))
    }

    /// A connection of its own, which says so when it is notified of something, or has ended.
    pub(crate) async fn listen(
        &self,
        channel: &str,
        news: &Arc<Notify>,
    ) -> Result<Listening, Failure> {
        let failed = |error| Failure::before(Cause::Postgres(error));
        let listen = async {
            let dial = self.dial.dial(&self.config, Arc::clone(news));
            let dialled = timeout(self.connect_timeout, dial).await;
            let no_connection = |_| Failure::before(Cause::NoConnection(self.connect_timeout));
            let (client, task) = dialled.map_err(no_connection)?.map_err(failed)?;
            let answer_timeout = self.answer_timeout;
            let listening =
                Listening { client, _task: Task(task), statement: None, answer_timeout };
            self.session.begin(&listening.client, new_epoch()?).await.map_err(failed)?;
            let listen = format!("LISTEN \"{channel}\"");
            listening.client.batch_execute(&listen).await.map_err(failed)?;
            Ok(listening)
        };
        let listening = timeout(self.lease_timeout, listen).await;
        listening.map_err(|_| Failure::before(Cause::NoConnection(self.lease_timeout)))?
    }
}

/// A connection for one statement, which is closed unless it is kept: it may be in the middle of something, or dead.
struct Lease(Option<Object>);

impl Lease {
    async fn query(
        &self,
        sql: &str,
        parameters: &[&(dyn ToSql + Sync)],
    ) -> Result<Vec<Row>, Failure> {
        let statement = self.prepare_cached(sql).await;
        let statement = statement.map_err(|error| Failure::before(Cause::Postgres(error)))?;
        let rows = (**self).query(&statement, parameters).await;
        rows.map_err(|error| Failure::after(Cause::Postgres(error)))
    }

    fn keep(mut self) {
        drop(self.0.take());
    }
}

impl Deref for Lease {
    type Target = ClientWrapper;

    fn deref(&self) -> &ClientWrapper {
        self.0.as_ref().expect("it is there until the lease ends")
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if let Some(object) = self.0.take() {
            drop(Object::take(object));
        }
    }
}

/// The connection of a follower.
pub(crate) struct Listening {
    client: Client,
    _task: Task,
    statement: Option<Statement>,
    answer_timeout: Duration,
}

impl Listening {
    /// The answer to the one statement that it is asked.
    pub(crate) async fn query(
        &mut self,
        sql: &str,
        parameters: &[&(dyn ToSql + Sync)],
    ) -> Result<Vec<Row>, Failure> {
        let (client, known) = (&self.client, &mut self.statement);
        let ask = async {
            let statement = match known {
                Some(statement) => statement,
                None => known.insert(client.prepare(sql).await?),
            };
            client.query(statement, parameters).await
        };
        match timeout(self.answer_timeout, ask).await {
            Ok(rows) => rows.map_err(|error| Failure::before(Cause::Postgres(error))),
            Err(_) => Err(Failure::before(Cause::NoAnswer(self.answer_timeout))),
        }
    }
}

impl fmt::Debug for Connections {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connections").field("pool", &self.pool.status()).finish_non_exhaustive()
    }
}
