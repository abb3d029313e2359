use std::future::Future;

use sse_core::store::StoreError;
use tokio::sync::watch;
use tokio::time::Instant;

/// What a client has said of itself.
#[derive(Debug, Default)]
pub(crate) struct ClientState {
    pub(crate) is_lost: bool,
    /// The newest complaint of the server, and when it came.
    pub(crate) complaint: Option<(Instant, String)>,
}

/// Tells when a connection is lost, though another may be there by then.
#[derive(Debug, Clone)]
pub(crate) struct Lost(pub(crate) watch::Receiver<ClientState>);

impl Lost {
    /// The outcome of a call, which is unknown once the connection is lost.
    pub(crate) async fn or<T>(
        &mut self,
        call: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        tokio::select! {
            biased;
            answer = call => answer,
            // An error says that the client has ended.
            _ = self.0.wait_for(|said| said.is_lost) => {
                Err(StoreError::outcome_unknown("the connection to NATS was lost"))
            }
        }
    }

    pub(crate) fn is_lost(&self) -> bool {
        self.0.borrow().is_lost || self.0.has_changed().is_err()
    }

    /// The server answers nothing to what a user may not ask: it complains, of nothing in particular. A complaint from before the call is of
    /// another.
    pub(crate) fn explain(&self, error: StoreError, begun: Instant) -> StoreError {
        match (error, &self.0.borrow().complaint) {
            (StoreError::OutcomeUnknown(error), Some((at, complaint))) if *at >= begun => {
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
    fn a_complaint_from_before_a_call_is_not_told_with_its_outcome() {
        let complained = Instant::now();
        let said = ClientState { is_lost: false, complaint: Some((complained, "not you".into())) };
        let (_sender, said) = watch::channel(said);
        let told = |begun| match Lost(said.clone()).explain(StoreError::outcome_unknown("x"), begun)
        {
            StoreError::OutcomeUnknown(error) => error.to_string(),
            error => panic!("{error:?}"),
        };
        assert!(told(complained).contains("not you"));
        assert_eq!(told(complained + Duration::from_millis(1)), "x");
    }
}
