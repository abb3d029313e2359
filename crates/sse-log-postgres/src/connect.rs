use std::error::Error as _;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_postgres::config::{Host, TargetSessionAttrs};
use tokio_postgres::tls::{MakeTlsConnect, TlsConnect};
use tokio_postgres::{AsyncMessage, Client, Config, Error, Socket};

use crate::connection::{Connection, Held};
use crate::error::{Cause, Failure};
use crate::options::EngineOptions;
use crate::session::{Session, Timeouts};

/// How soon a connection is found dead that waits for an answer.
const DEAD_AFTER: Duration = Duration::from_secs(10);
/// The default of `tokio_postgres`, which is too long.
const NEVER: Duration = Duration::from_secs(2 * 60 * 60);

/// The server, or those of which one takes writes.
pub(crate) struct Server {
    config: Config,
    /// The first that can be reached may be a standby: if the URL does not say what is wanted, one that takes writes is.
    takes_any: bool,
    dial: Arc<dyn Dial>,
    pub(crate) session: Session,
    /// How long connecting may take, to all the servers there may be.
    pub(crate) connect_timeout: Duration,
}

impl Server {
    pub(crate) fn new(mut config: Config, dial: Arc<dyn Dial>, options: &EngineOptions) -> Self {
        let a_server = *config.get_connect_timeout().unwrap_or(&options.connect_timeout);
        // This is for TCP alone: a server may accept a connection and then say nothing.
        config.connect_timeout(a_server);
        let names = config.get_hosts().iter().filter(|host| is_name(host)).count();
        // A name may have two addresses, as `localhost` has.
        let servers = config.get_hosts().len().max(config.get_hostaddrs().len()).max(1) + names;
        let connect_timeout = a_server.saturating_mul(u32::try_from(servers).unwrap_or(u32::MAX));
        let takes_any = config.get_target_session_attrs() == TargetSessionAttrs::Any;
        if takes_any {
            config.target_session_attrs(TargetSessionAttrs::ReadWrite);
        }
        if config.get_tcp_user_timeout().is_none() {
            config.tcp_user_timeout(DEAD_AFTER);
        }
        if config.get_keepalives_idle() == NEVER {
            config.keepalives_idle(DEAD_AFTER).keepalives_interval(DEAD_AFTER / 4);
        }
        Self { config, takes_any, dial, session: Session::new(options), connect_timeout }
    }

    /// A connection that can be used.
    pub(crate) async fn connect(
        &self,
        timeouts: Timeouts,
        hear: Hear,
    ) -> Result<Connection, Failure> {
        let held = Held::default();
        let dial = async {
            let mut config = self.session.config(&self.config, timeouts);
            match self.dial.dial(&config, Arc::clone(&hear), Arc::clone(&held)).await {
                Err(error) if self.takes_any && is_read_only(&error) => {
                    // A primary that takes no writes can be read from; a standby is told from it below.
                    config.target_session_attrs(TargetSessionAttrs::Any);
                    self.dial.dial(&config, hear, Arc::clone(&held)).await
                }
                dialled => dialled,
            }
        };
        let no_connection = |_| Failure::before(Cause::NoConnection(self.connect_timeout));
        let dialled = timeout(self.connect_timeout, dial).await.map_err(no_connection)?;
        let (client, driver) = dialled.map_err(refused)?;
        let connection = Connection::new(client, driver, held, timeouts);
        self.session.begin(&connection.client, timeouts).await?;
        Ok(connection)
    }
}

fn is_name(host: &Host) -> bool {
    matches!(host, Host::Tcp(name) if name.parse::<std::net::IpAddr>().is_err())
}

/// As `tokio_postgres` says that none of the servers takes writes.
fn is_read_only(error: &Error) -> bool {
    error.source().is_some_and(|source| source.to_string().contains("does not allow writes"))
}

fn refused(error: Error) -> Failure {
    // PgBouncer: "unsupported startup parameter: options"; others say it alike.
    let is_by_pooler = error.as_db_error().is_some_and(|said| {
        said.message().contains("startup parameter") || said.message().contains("startup option")
    });
    Failure::before(match is_by_pooler {
        true => Cause::Pooler("it has refused the settings of the log"),
        false => Cause::Connection(error),
    })
}

pub(crate) type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;
/// Is given the payload of each notification.
pub(crate) type Hear = Arc<dyn Fn(&str) + Send + Sync>;
/// How Postgres is connected to, whatever encrypts it.
pub(crate) trait Dial: Send + Sync {
    /// A connection, and a task that drives it, and ends with it.
    fn dial<'a>(
        &'a self,
        config: &'a Config,
        hear: Hear,
        held: Held,
    ) -> BoxFuture<'a, Result<(Client, JoinHandle<()>), Error>>;
}

/// By a connector of TLS, or [`NoTls`](tokio_postgres::NoTls).
pub(crate) struct Dialer<T>(pub(crate) T);

impl<T> Dial for Dialer<T>
where
    T: MakeTlsConnect<Socket> + Clone + Send + Sync,
    T::Stream: Send + 'static,
    T::TlsConnect: Send,
    <T::TlsConnect as TlsConnect<Socket>>::Future: Send,
{
    fn dial<'a>(
        &'a self,
        config: &'a Config,
        hear: Hear,
        held: Held,
    ) -> BoxFuture<'a, Result<(Client, JoinHandle<()>), Error>> {
        Box::pin(async move {
            let (client, mut connection) = config.connect(self.0.clone()).await?;
            let drive = async move {
                let next = |cx: &mut std::task::Context<'_>| loop {
                    match std::task::ready!(connection.poll_message(cx)) {
                        Some(Ok(AsyncMessage::Notification(told))) => hear(told.payload()),
                        Some(Ok(_)) => {}
                        Some(Err(error)) => {
                            tracing::debug!(%error, "a connection to Postgres has ended");
                            return Poll::Ready(());
                        }
                        None => return Poll::Ready(()),
                    }
                };
                poll_fn(next).await;
                drop(held);
            };
            Ok((client, tokio::spawn(drive)))
        })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    /// Says what it was asked for, and connects to nothing.
    #[derive(Default)]
    struct Asked(Mutex<Vec<TargetSessionAttrs>>);

    impl Dial for Asked {
        fn dial<'a>(
            &'a self,
            config: &'a Config,
            _: Hear,
            _: Held,
        ) -> BoxFuture<'a, Result<(Client, JoinHandle<()>), Error>> {
            self.0.lock().expect("no panic").push(config.get_target_session_attrs());
            // No host: it fails without a server.
            let none = async {
                Config::new().connect(tokio_postgres::NoTls).await.map(|_| unreachable!())
            };
            Box::pin(none)
        }
    }

    async fn asked(url: &str) -> Vec<TargetSessionAttrs> {
        let asked = Arc::new(Asked::default());
        let config = url.parse().expect("a URL");
        let server = Server::new(config, Arc::clone(&asked) as _, &EngineOptions::default());
        let timeouts = Timeouts::within(Duration::from_secs(1));
        server.connect(timeouts, Arc::new(|_| {})).await.expect_err("nobody is there");
        let asked = asked.0.lock().expect("no panic");
        asked.clone()
    }

    /// The first address of the name may be that of a standby.
    #[tokio::test]
    async fn of_one_name_the_address_is_wanted_that_takes_writes_unless_the_url_says_otherwise() {
        assert_eq!(asked("postgres://h/d").await, [TargetSessionAttrs::ReadWrite]);
        let read_only = asked("postgres://h/d?target_session_attrs=read-only").await;
        assert_eq!(read_only, [TargetSessionAttrs::ReadOnly]);
    }
}
