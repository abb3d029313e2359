use std::sync::Arc;

use tokio::sync::mpsc;

use crate::name::channel;
use crate::store::Shared;

/// Starts what tells other processes that something has changed, once for all that has changed meanwhile. Not within the transactions
/// that change it: those that notify commit one at a time, in the whole cluster. It ends with what is returned.
pub(crate) fn start(shared: Arc<Shared>) -> mpsc::Sender<()> {
    let (changes, mut changed) = mpsc::channel(1);
    tokio::spawn(async move {
        let channel = channel(&shared.name);
        while changed.recv().await.is_some() {
            // Whoever is not told finds it all the same, when he looks the next time.
            let told = shared.connections.query("SELECT pg_notify($1, '')", &[&channel]).await;
            if let Err(failure) = told {
                tracing::debug!(?failure, "the followers of an event log were not notified");
            }
        }
    });
    changes
}

/// Something has changed.
pub(crate) fn announce(shared: &Shared, changes: &mpsc::Sender<()>) {
    shared.changed_here.send_replace(());
    // Where one waits to be told already that is for this, too.
    _ = changes.try_send(());
}
