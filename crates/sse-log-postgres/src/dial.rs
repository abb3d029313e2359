use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::Poll;

use tokio::task::JoinHandle;
use tokio_postgres::tls::{MakeTlsConnect, TlsConnect};
use tokio_postgres::{AsyncMessage, Client, Config, Error, Socket};

use crate::pool::GivenUp;

pub(crate) type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;
/// Is given the payload of each notification.
pub(crate) type Hear = Arc<dyn Fn(&str) + Send + Sync>;
/// What a connection holds on to until its socket has ended.
pub(crate) type Held = Arc<Mutex<Option<GivenUp>>>;

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

/// A task that ends when this is dropped.
#[derive(Debug)]
pub(crate) struct Task(pub(crate) JoinHandle<()>);

impl Drop for Task {
    fn drop(&mut self) {
        self.0.abort();
    }
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
