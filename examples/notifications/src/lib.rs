//! The shared part of the four notifications: a page, users, and their sessions. It knows no framework.
//!
//! One log has the events of all users, each event with the topic of the user it is for. A stream asks for the topic of the user of its session,
//! so that no user sees or resumes the events of another; the log refuses an event whose topic was forgotten. Each session has a [`Shutdown`],
//! which ends its streams when its access is revoked.
//!
//! ```
//! use notifications::Accounts;
//!
//! let accounts = Accounts::default();
//! let token = accounts.sign_in("ada", "lovelace").expect("that is her password");
//! let session = accounts.session(&token).expect("she has just signed in");
//! assert_eq!(session.user, "ada");
//! session.revoke_all();
//! assert!(accounts.session(&token).is_none());
//! ```
#![forbid(unsafe_code)]

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use sse_core::{Error, Event, EventLog, Feed, LogOptions, Shutdown, Start};

/// The users, each with a password that a real application would not know.
const USERS: [(&str, &str); 2] = [("ada", "lovelace"), ("grace", "hopper")];

/// The number of notifications that are kept for those who are away: all users' together.
const KEPT: usize = 10_000;

/// The most sessions that there can be. When there are more, the oldest are revoked.
const SESSIONS: usize = 1000;

/// The page, for any framework.
pub fn page() -> String {
    look::page(include_str!("index.html"))
}

/// The users and their sessions. A clone shares them.
#[derive(Debug, Clone)]
pub struct Accounts(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    /// The events of all users.
    log: EventLog,
    sessions: Mutex<VecDeque<(String, Session)>>,
    shutdown: Shutdown,
}

/// A user who is signed in.
#[derive(Debug, Clone)]
pub struct Session {
    /// The name of the user.
    pub user: &'static str,
    access: Shutdown,
    accounts: Accounts,
}

impl Accounts {
    /// Returns the accounts whose notifications are kept in this log.
    pub fn over(log: EventLog) -> Self {
        Self(Arc::new(Shared { log, sessions: Mutex::default(), shutdown: Shutdown::new() }))
    }

    /// Begins a session and returns its token, or `None` if the password is not this user's.
    pub fn sign_in(&self, user: &str, password: &str) -> Option<String> {
        let (user, _) = USERS.into_iter().find(|known| *known == (user, password))?;
        // A real application takes the system's entropy: a client that has the token is this user.
        let token = format!("{:032x}{:032x}", fastrand::u128(..), fastrand::u128(..));
        let session = Session { user, access: Shutdown::new(), accounts: self.clone() };
        let mut sessions = self.sessions();
        sessions.push_back((token.clone(), session));
        if sessions.len() > SESSIONS
            && let Some((_, oldest)) = sessions.pop_front()
        {
            oldest.access.begin();
        }
        Some(token)
    }

    /// Returns the session of this token.
    pub fn session(&self, token: &str) -> Option<Session> {
        let sessions = self.sessions();
        sessions.iter().find(|(known, _)| known == token).map(|(_, session)| session.clone())
    }

    /// Returns the shutdown that ends all streams, with the server.
    pub fn shutdown(&self) -> &Shutdown {
        &self.0.shutdown
    }

    fn sessions(&self) -> MutexGuard<'_, VecDeque<(String, Session)>> {
        self.0.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Session {
    /// Returns the feed of this user's own events, for as long as the session has access.
    pub fn feed(&self) -> Feed {
        let feed = self.accounts.0.log.topics([topic(self.user)]);
        let feed = feed.expect("a name is short, and the log keeps topics");
        let feed = feed.start_at(Start::Oldest).retry(Duration::from_millis(500));
        feed.shutdown(&self.access).shutdown(self.accounts.shutdown())
    }

    /// Notifies a user. Returns `false` if there is no user of that name.
    ///
    /// # Errors
    ///
    /// If the text is too long for a log.
    pub async fn notify(&self, to: &str, text: &str) -> Result<bool, Error> {
        if !USERS.iter().any(|(user, _)| *user == to) {
            return Ok(false);
        }
        let event = Event::json(&serde_json::json!({ "from": self.user, "text": text }))?;
        self.accounts.0.log.append(event.topic(topic(to))?).await?;
        Ok(true)
    }

    /// Ends every session of this user. Their streams end; a browser that comes back is not let in, and asks no more.
    pub fn revoke_all(&self) {
        let mut revoked = Vec::new();
        self.accounts.sessions().retain(|(_, session)| {
            let stays = session.user != self.user;
            if !stays {
                revoked.push(session.access.clone());
            }
            stays
        });
        revoked.iter().for_each(Shutdown::begin);
    }
}

/// Returns the topic of the events for a user.
fn topic(user: &str) -> String {
    format!("user/{user}")
}

impl Default for Accounts {
    fn default() -> Self {
        Self::over(EventLog::in_memory(LogOptions::new().events(KEPT).topics_required(true)))
    }
}
