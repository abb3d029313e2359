//! Connecting to NATS.

use std::io;
use std::time::Duration;

use async_nats::client::SubscribeError;
use async_nats::{
    Client, ConnectError, ConnectOptions, Event, ReconnectToServer, ServerAddr, rustls,
};
use percent_encoding::percent_decode_str;
use tokio::sync::watch;
use tokio::time::{Instant, timeout};

use crate::connection::lost::{ClientState, Lost};

/// Interval of pings. A server that answers nothing for three or four intervals counts as gone.
const PING_EVERY: Duration = Duration::from_secs(2);
/// An address at which no server can listen.
const NOWHERE: &str = "nats://127.0.0.1:0";

/// The oldest version of a server that does not skip messages when others are purged by their subject.
const OLDEST: (u64, u64) = (2, 10);

/// The servers of an engine, and the options to connect to them with.
pub(crate) struct Dial {
    servers: Vec<Server>,
    options: ConnectOptions,
    within: Duration,
}

/// A server, and the user to log in as.
#[derive(Clone)]
struct Server {
    address: ServerAddr,
    user: Option<String>,
    password: Option<String>,
}

/// The reason that there is no connection.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConnectFailure {
    #[error(transparent)]
    Connect(#[from] ConnectError),
    #[error(transparent)]
    Subscribe(#[from] SubscribeError),
    #[error(
        "nats-server {0} is too old: it skips events when others are replaced or dropped; install nats-server 2.10 or newer"
    )]
    TooOld(String),
}

impl Dial {
    pub(crate) fn new(urls: &str, options: ConnectOptions, within: Duration) -> io::Result<Self> {
        let servers: io::Result<Vec<_>> = urls.split(',').map(Server::new).collect();
        // rustls cannot choose if a build has two providers, and any server may ask for TLS. A provider that the application has installed stays.
        _ = rustls::crypto::ring::default_provider().install_default();
        let options =
            options.ping_interval(PING_EVERY).ignore_discovered_servers().max_reconnects(1);
        Ok(Self { servers: servers?, options, within })
    }

    /// Returns the addresses of the servers, without users and passwords.
    pub(crate) fn address(&self) -> String {
        let addresses: Vec<_> =
            self.servers.iter().map(|server| server.address.as_url_str()).collect();
        addresses.join(",")
    }

    /// Returns the time that connecting may take.
    pub(crate) fn within(&self) -> Duration {
        self.within
    }

    /// Connects to the first server that can be reached, in random order, so that clients spread over the servers. The servers share the time.
    pub(crate) async fn connect(&self) -> Result<(Client, Lost), ConnectFailure> {
        let mut servers = self.servers.clone();
        fastrand::shuffle(&mut servers);
        let started = Instant::now();
        let last = servers.pop().expect("splitting a text returns a first part");
        for (index, server) in servers.iter().enumerate() {
            let left = self.within.saturating_sub(started.elapsed());
            let share = left / u32::try_from(servers.len() + 1 - index).unwrap_or(u32::MAX);
            if let Ok(Ok(connected)) = timeout(share, self.connect_to(server)).await {
                return Ok(connected);
            }
        }
        self.connect_to(&last).await
    }

    /// Connects to one server, without reconnection. A client that reconnects sends its old requests then, long after the caller got
    /// an unknown outcome and has tried again. So its second server is an address without one: the client ends, and its requests fail.
    async fn connect_to(&self, server: &Server) -> Result<(Client, Lost), ConnectFailure> {
        let (sender, state) = watch::channel(ClientState::default());
        let nowhere: ServerAddr = NOWHERE.parse().expect("it is an address");
        let options = server
            .identify(self.options.clone())
            .connection_timeout(self.within)
            .reconnect_to_server_callback(|servers, _| async move {
                let is_lost = servers.iter().any(|server| server.did_connect);
                let next = if is_lost { servers.last() } else { servers.first() };
                let delay = Some(Duration::ZERO);
                next.map(|next| ReconnectToServer { addr: next.addr.clone(), delay })
            })
            .event_callback(move |event| {
                sender.send_modify(|state| match event {
                    Event::Disconnected | Event::Closed => state.is_lost = true,
                    Event::ServerError(error) => {
                        state.complaint = Some((Instant::now(), error.to_string()));
                    }
                    _ => {}
                });
                async {}
            });
        let client = options.connect(vec![server.address.clone(), nowhere]).await?;
        let version = client.server_info().version;
        if is_too_old(&version) {
            return Err(ConnectFailure::TooOld(version));
        }
        Ok((client, Lost(state)))
    }
}

/// Returns true if a server of this version is too old. A version that cannot be parsed counts as new.
fn is_too_old(version: &str) -> bool {
    let mut numbers = version.trim_start_matches('v').split('.').map(str::parse::<u64>);
    match (numbers.next(), numbers.next()) {
        (Some(Ok(major)), Some(Ok(minor))) => (major, minor) < OLDEST,
        _ => false,
    }
}

impl Server {
    /// Parses a URL. It moves the user out of the address: the client ignores a user there, and would show the password in messages.
    fn new(url: &str) -> io::Result<Self> {
        let address: ServerAddr = url.trim().parse()?;
        let user = address.username().map(decoded).transpose()?;
        let password = address.password().map(decoded).transpose()?;
        let mut url = address.into_inner();
        let stripped = url.set_username("").and_then(|()| url.set_password(None));
        stripped.map_err(|()| invalid("it has a user but no host"))?;
        Ok(Self { address: ServerAddr::from_url(url)?, user, password })
    }

    /// Adds the user to the options. A name without a password is a token, as in other clients of NATS.
    fn identify(&self, options: ConnectOptions) -> ConnectOptions {
        match (self.user.clone(), self.password.clone()) {
            (Some(user), Some(password)) => options.user_and_password(user, password),
            (Some(token), None) => options.token(token),
            (None, _) => options,
        }
    }
}

fn decoded(text: &str) -> io::Result<String> {
    let decoded = percent_decode_str(text).decode_utf8();
    decoded.map(Into::into).map_err(|_| invalid("its user or password is not UTF-8"))
}

fn invalid(reason: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, format!("NATS server URL is invalid: {reason}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A server may ask for TLS although the URL does not, and a build may have two providers.
    #[test]
    fn a_provider_of_cryptography_is_installed_for_any_url() {
        Dial::new("nats://host", ConnectOptions::new(), Duration::ZERO).expect("a URL");
        assert!(rustls::crypto::CryptoProvider::get_default().is_some());
    }

    #[test]
    fn a_server_is_too_old_before_2_10() {
        for old in ["2.9.10", "2.9.25-RC.1", "1.4.1", "v2.2.0"] {
            assert!(is_too_old(old), "{old}");
        }
        for new in ["2.10.0", "2.10.26-binary", "v2.12.0-RC.1", "2.15.1", "3.0.0", "", "unknown"] {
            assert!(!is_too_old(new), "{new}");
        }
    }

    #[test]
    fn the_user_is_taken_out_of_the_address() {
        for (url, user, password) in [
            ("nats://host:4222", None, None),
            ("host", None, None),
            ("nats://me:se%3Acret%40@host", Some("me"), Some("se:cret@")),
            ("tls://t%2Fken@host", Some("t/ken"), None),
        ] {
            let server = Server::new(url).expect("an address");
            assert_eq!((server.user.as_deref(), server.password.as_deref()), (user, password));
            assert!(!server.address.as_url_str().contains('@'), "{:?}", server.address);
        }
        for nonsense in ["nats://%ff:x@host", "http://host", "nats://[x", ""] {
            assert!(Server::new(nonsense).is_err(), "{nonsense:?}");
        }
    }
}
