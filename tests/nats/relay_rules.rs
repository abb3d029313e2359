//! The rules of a relay for single messages.

use std::collections::{HashMap, HashSet};

use crate::frame::Frame;

/// The fate of a request.
pub(crate) enum Fate {
    Passes,
    /// The server does it, and another answer comes.
    IsAnswered(&'static str),
    /// The server does not get it, and this answer comes.
    IsRefused(&'static str),
    /// The server does not get it, and no answer comes.
    IsLost,
}

/// Nobody listens to it, so that the server says that at once.
const NOWHERE: &str = "nowhere";

/// In nanoseconds.
const DAY: u64 = 24 * 60 * 60 * 1_000_000_000;

type Asked = Box<dyn FnMut(&str) -> Fate + Send>;
type Delivered = Box<dyn FnMut(u64) -> bool + Send>;

/// The rules for messages, and the counts of them.
pub(crate) struct Rules {
    pub(crate) asked: Asked,
    pub(crate) delivered: Delivered,
    /// The answers by the inbox that awaits them.
    pub(crate) answers: HashMap<String, &'static str>,
    /// From which message on they are a day younger.
    pub(crate) younger: u64,
    pub(crate) waiting: HashSet<String>,
    pub(crate) most_waiting: usize,
    /// Messages that a consumer passes over, and how many each has, by its name.
    pub(crate) skipped: HashSet<u64>,
    pub(crate) skips: HashMap<String, u64>,
    /// The number of connections that there were, that there are, and of those of the first that carry nothing any more.
    pub(crate) connections: usize,
    pub(crate) open: usize,
    pub(crate) silent: usize,
    pub(crate) is_first_cut: bool,
    pub(crate) has_no_api: bool,
    /// The number of bytes that came from the server, and of messages that went to it.
    pub(crate) answered: usize,
    pub(crate) published: usize,
}

impl Rules {
    /// All passes.
    pub(crate) fn new() -> Self {
        Self {
            asked: Box::new(|_| Fate::Passes),
            delivered: Box::new(|_| true),
            answers: HashMap::new(),
            younger: u64::MAX,
            waiting: HashSet::new(),
            most_waiting: 0,
            skipped: HashSet::new(),
            skips: HashMap::new(),
            connections: 0,
            open: 0,
            silent: 0,
            is_first_cut: false,
            has_no_api: false,
            answered: 0,
            published: 0,
        }
    }
}

impl Frame {
    /// `PUB subject [reply] size`, and `HPUB` with one size more.
    pub(crate) fn ask(&mut self, rules: &mut Rules) -> bool {
        let words = match self.words[0].as_str() {
            "PUB" => 4,
            "HPUB" => 5,
            _ => return true,
        };
        let reply = (self.words.len() == words).then(|| self.words[2].clone());
        rules.waiting.extend(reply.clone());
        rules.most_waiting = rules.most_waiting.max(rules.waiting.len());
        rules.published += 1;
        if rules.has_no_api && self.words[1].starts_with("$JS.") {
            self.words[1] = NOWHERE.into();
        }
        let answer = match (rules.asked)(&self.words[1]) {
            Fate::Passes => return true,
            Fate::IsLost => return false,
            Fate::IsAnswered(answer) => answer,
            Fate::IsRefused(answer) => {
                self.words[1] = NOWHERE.into();
                answer
            }
        };
        rules.answers.insert(reply.expect("an answer is awaited"), answer);
        true
    }

    /// Returns the place in its stream, if it is a message that a consumer gives.
    pub(crate) fn sequence(&self) -> Option<u64> {
        let is_message = self.words[0].ends_with("MSG");
        let reply = self.words.get(3).filter(|_| is_message)?.strip_prefix("$JS.ACK.")?;
        reply.split('.').nth(3)?.parse().ok()
    }

    /// `MSG subject number [reply] size`, and `HMSG` with one size more.
    pub(crate) fn answer(&mut self, rules: &mut Rules) -> bool {
        if !self.words[0].ends_with("MSG") {
            return true;
        }
        rules.waiting.remove(&self.words[1]);
        rules.answered += self.payload.len();
        if let Some(answer) = rules.answers.remove(&self.words[1]) {
            let size = answer.len().to_string();
            self.words = vec!["MSG".into(), self.words[1].clone(), self.words[2].clone(), size];
            self.payload = [answer.as_bytes(), b"\r\n"].concat();
        }
        if self.words[3].is_empty() {
            return (rules.delivered)(u64::MAX);
        }
        // `$JS.ACK.stream.consumer.deliveries.sequence.number.time.pending`
        let mut reply: Vec<_> = self.words[3].split('.').map(str::to_owned).collect();
        if reply.len() < 9 {
            return true;
        }
        let [sequence, time] = [5, 7].map(|place| reply[place].parse::<u64>().expect("a number"));
        let skips = rules.skips.entry(reply[3].clone()).or_default();
        if rules.skipped.contains(&sequence) {
            *skips += 1;
            return false;
        }
        if *skips > 0 {
            let number: u64 = reply[6].parse().expect("a number");
            reply[6] = (number - *skips).to_string();
            self.words[3] = reply.join(".");
        }
        if sequence >= rules.younger {
            reply[7] = (time + DAY).to_string();
            self.words[3] = reply.join(".");
        }
        (rules.delivered)(sequence)
    }
}
