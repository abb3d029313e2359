use std::future::Future;

use sse_core::store::StoreError;
use tokio::sync::watch;
use tokio::time::Instant;

/// The state of a client, as its events report it.
#[derive(Debug, Default)]
pub(crate) struct ClientState {
    pub(crate) is_lost: bool,
    /// The newest error that the server reported, and the time at which it came.
    pub(crate) complaint: Option<(Instant, String)>,
}

/// Reports the loss of one connection, even after another has replaced it.
#[derive(Debug, Clone)]
pub(crate) struct Lost(pub(crate) watch::Receiver<ClientState>);

impl Lost {
    /// Returns the outcome of a call. If the connection is lost first, the outcome is unknown.
    pub(crate) async fn or<T>(
        &mut self,
        call: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        tokio::select! {
            biased;
            answer = call => answer,
            // An error means that the client has ended.
            _ = self.0.wait_for(|state| state.is_lost) => {
                Err(StoreError::outcome_unknown("the connection to NATS was lost"))
            }
        }
    }

    pub(crate) fn is_lost(&self) -> bool {
        self.0.borrow().is_lost || self.0.has_changed().is_err()
    }

    /// Adds the newest complaint of the server to a timeout. To a request without permission the server does not answer: it complains, without naming
    /// the request. A complaint from before the call belongs to another request.
    pub(crate) fn explain(&self, error: StoreError, started: Instant) -> StoreError {
        match (error, &self.0.borrow().complaint) {
            (StoreError::OutcomeUnknown(error), Some((at, complaint))) if *at >= started => {
                let error = format!("{error}; the server's newest complaint: {complaint}");
                StoreError::outcome_unknown(error)
            }
            (error, _) => error,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_complaint_from_before_a_call_is_not_added_to_its_error() {
        let complained = Instant::now();
        let state = ClientState { is_lost: false, complaint: Some((complained, "not you".into())) };
        let (_sender, state) = watch::channel(state);
        let explained = |started| match Lost(state.clone())
            .explain(StoreError::outcome_unknown("x"), started)
        {
            StoreError::OutcomeUnknown(error) => error.to_string(),
            error => panic!("{error:?}"),
        };
        assert!(explained(complained).contains("not you"));
        assert_eq!(explained(complained + Duration::from_millis(1)), "x");
    }
}
