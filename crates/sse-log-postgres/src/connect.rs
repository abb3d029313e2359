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

/// Time after which a connection that waits for an answer is found dead.
const DEAD_AFTER: Duration = Duration::from_secs(10);
/// Default of `tokio_postgres` for keepalives, which is too long.
const DEFAULT_KEEPALIVE: Duration = Duration::from_secs(2 * 60 * 60);

/// The server, or the servers of which one takes writes.
pub(crate) struct Server {
    config: Config,
    /// True if the URL does not say which servers to connect to. Then the server must take writes, since the first reachable server may be a standby.
    prefers_writable: bool,
    dial: Arc<dyn Dial>,
    pub(crate) session: Session,
    /// Maximum time for connecting, over all servers.
    pub(crate) connect_timeout: Duration,
}

impl Server {
    /// Completes the configuration with these options.
    pub(crate) fn new(mut config: Config, dial: Arc<dyn Dial>, options: &EngineOptions) -> Self {
        let per_server = *config.get_connect_timeout().unwrap_or(&options.connect_timeout);
        // This limits TCP alone: a server may accept a connection and then not answer.
        config.connect_timeout(per_server);
        let names = config.get_hosts().iter().filter(|host| is_name(host)).count();
        // A host name may have two addresses, as `localhost` has.
        let servers = config.get_hosts().len().max(config.get_hostaddrs().len()).max(1) + names;
        let connect_timeout = per_server.saturating_mul(u32::try_from(servers).unwrap_or(u32::MAX));
        let prefers_writable = config.get_target_session_attrs() == TargetSessionAttrs::Any;
        if prefers_writable {
            config.target_session_attrs(TargetSessionAttrs::ReadWrite);
        }
        if config.get_tcp_user_timeout().is_none() {
            config.tcp_user_timeout(DEAD_AFTER);
        }
        if config.get_keepalives_idle() == DEFAULT_KEEPALIVE {
            config.keepalives_idle(DEAD_AFTER).keepalives_interval(DEAD_AFTER / 4);
        }
        Self { config, prefers_writable, dial, session: Session::new(options), connect_timeout }
    }

    /// Returns the addresses of the servers, without the user and the password.
    pub(crate) fn address(&self) -> String {
        let (hosts, ports) = (self.config.get_hosts(), self.config.get_ports());
        let port = |at: usize| ports.get(at).or(ports.first()).copied().unwrap_or(5432);
        let hosts = hosts.iter().enumerate().map(|(at, host)| match host {
            Host::Tcp(name) => format!("{name}:{}", port(at)),
            #[cfg(unix)]
            Host::Unix(path) => path.display().to_string(),
        });
        let hosts: Vec<_> = hosts.collect();
        let addresses = self.config.get_hostaddrs().iter().enumerate();
        let addresses = addresses.map(|(at, address)| format!("{address}:{}", port(at)));
        let servers = if hosts.is_empty() { addresses.collect() } else { hosts };
        format!("postgres://{}", servers.join(","))
    }

    /// Connects to the server that takes writes, and prepares the session. `hear` gets the notifications.
    pub(crate) async fn connect(
        &self,
        timeouts: Timeouts,
        hear: Hear,
    ) -> Result<Connection, Failure> {
        let held = Held::default();
        let dial = async {
            let mut config = self.session.config(&self.config, timeouts);
            match self.dial.dial(&config, Arc::clone(&hear), Arc::clone(&held)).await {
                Err(error) if self.prefers_writable && is_read_only(&error) => {
                    // A primary that takes no writes still serves reads. `begin` below refuses a standby.
                    config.target_session_attrs(TargetSessionAttrs::Any);
                    self.dial.dial(&config, hear, Arc::clone(&held)).await
                }
                dialed => dialed,
            }
        };
        let no_connection = |_| Failure::before_sending(Cause::NoConnection(self.connect_timeout));
        let dialed = timeout(self.connect_timeout, dial).await.map_err(no_connection)?;
        let (client, driver) = dialed.map_err(refused)?;
        let connection = Connection::new(client, driver, held, timeouts);
        self.session.begin(&connection.client, timeouts).await?;
        Ok(connection)
    }
}

fn is_name(host: &Host) -> bool {
    matches!(host, Host::Tcp(name) if name.parse::<std::net::IpAddr>().is_err())
}

/// Returns true if the error of `tokio_postgres` says that no server takes writes.
fn is_read_only(error: &Error) -> bool {
    error.source().is_some_and(|source| source.to_string().contains("does not allow writes"))
}

fn refused(error: Error) -> Failure {
    // PgBouncer writes "unsupported startup parameter: options". Other poolers write similar texts.
    let is_by_pooler = error.as_db_error().is_some_and(|db_error| {
        let message = db_error.message();
        message.contains("startup parameter") || message.contains("startup option")
    });
    Failure::before_sending(match is_by_pooler {
        true => Cause::Pooler("refused the settings of the log"),
        false => Cause::Connection(error),
    })
}

pub(crate) type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;
/// Callback for the payload of each notification.
pub(crate) type Hear = Arc<dyn Fn(&str) + Send + Sync>;
/// A way to connect to Postgres, with any encryption.
pub(crate) trait Dial: Send + Sync {
    /// Returns a connection, and the task that drives it and ends with it. The task drops `held` when the socket has ended.
    fn dial<'a>(
        &'a self,
        config: &'a Config,
        hear: Hear,
        held: Held,
    ) -> BoxFuture<'a, Result<(Client, JoinHandle<()>), Error>>;
}

/// A dialer with a TLS connector, or [`NoTls`](tokio_postgres::NoTls).
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
                        Some(Ok(AsyncMessage::Notification(message))) => hear(message.payload()),
                        Some(Ok(_)) => {}
                        Some(Err(error)) => {
                            tracing::debug!(%error, "a connection to Postgres ended: the next operation opens another");
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

    /// A dialer that records the requested attributes, and connects to nothing.
    #[derive(Default)]
    struct Recorder(Mutex<Vec<TargetSessionAttrs>>);

    impl Dial for Recorder {
        fn dial<'a>(
            &'a self,
            config: &'a Config,
            _: Hear,
            _: Held,
        ) -> BoxFuture<'a, Result<(Client, JoinHandle<()>), Error>> {
            self.0.lock().expect("no panic").push(config.get_target_session_attrs());
            // Without a host it fails without a server.
            let failing = async {
                Config::new().connect(tokio_postgres::NoTls).await.map(|_| unreachable!())
            };
            Box::pin(failing)
        }
    }

    async fn requested(url: &str) -> Vec<TargetSessionAttrs> {
        let recorder = Arc::new(Recorder::default());
        let config = url.parse().expect("a URL");
        let server = Server::new(config, Arc::clone(&recorder) as _, &EngineOptions::default());
        let timeouts = Timeouts::within(Duration::from_secs(1));
        server.connect(timeouts, Arc::new(|_| {})).await.expect_err("no server");
        let requested = recorder.0.lock().expect("no panic");
        requested.clone()
    }

    /// The first address of the name may belong to a standby.
    #[tokio::test]
    async fn it_requests_a_server_that_takes_writes_unless_the_url_requests_another() {
        assert_eq!(requested("postgres://h/d").await, [TargetSessionAttrs::ReadWrite]);
        let read_only = requested("postgres://h/d?target_session_attrs=read-only").await;
        assert_eq!(read_only, [TargetSessionAttrs::ReadOnly]);
    }
}
