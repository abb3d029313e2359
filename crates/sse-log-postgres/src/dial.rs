use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;

use deadpool_postgres::Connect;
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio_postgres::tls::{MakeTlsConnect, TlsConnect};
use tokio_postgres::{AsyncMessage, Client, Config, Error, Socket};

type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// How Postgres is connected to, whatever encrypts it.
pub(crate) trait Dial: Send + Sync {
    /// A connection, and a task that drives it. That says when it was notified of something, and when the connection has ended.
    fn dial<'a>(
        &'a self,
        config: &'a Config,
        news: Arc<Notify>,
    ) -> BoxFuture<'a, Result<(Client, JoinHandle<()>), Error>>;
}

/// What drives a connection, which is closed when this is dropped.
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
        news: Arc<Notify>,
    ) -> BoxFuture<'a, Result<(Client, JoinHandle<()>), Error>> {
        Box::pin(async move {
            let (client, mut connection) = config.connect(self.0.clone()).await?;
            let drive = async move {
                let next = |cx: &mut std::task::Context<'_>| loop {
                    match std::task::ready!(connection.poll_message(cx)) {
                        Some(Ok(AsyncMessage::Notification(_))) => news.notify_one(),
                        Some(Ok(_)) => {}
                        Some(Err(error)) => {
                            tracing::debug!(%error, "a connection to Postgres has ended");
                            return Poll::Ready(());
                        }
                        None => return Poll::Ready(()),
                    }
                };
                poll_fn(next).await;
                news.notify_one();
            };
            Ok((client, tokio::spawn(drive)))
        })
    }
}

/// The same, for those that are kept.
pub(crate) struct Pooled(pub(crate) Arc<dyn Dial>);

impl Connect for Pooled {
    fn connect(&self, config: &Config) -> BoxFuture<'_, Result<(Client, JoinHandle<()>), Error>> {
        let config = config.clone();
        Box::pin(async move { self.0.dial(&config, Arc::new(Notify::new())).await })
    }
}
