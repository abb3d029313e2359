use sse_core::store::LogName;

/// What all processes listen to, and how.
pub(crate) const CHANNEL: (&str, &str) = ("sse_log", "LISTEN sse_log");
/// How long what is told may be: Postgres takes 8 000 bytes.
const LONGEST: usize = 7000;

/// What is told of logs that have changed: who says so, and their names.
pub(crate) fn payloads<'a>(process: &str, names: impl Iterator<Item = &'a LogName>) -> Vec<String> {
    let mut payloads: Vec<String> = Vec::new();
    for name in names {
        match payloads.last_mut() {
            Some(last) if last.len() < LONGEST => *last += &format!(" {name}"),
            _ => payloads.push(format!("{process} {name}")),
        }
    }
    payloads
}

/// Calls this with each name in what was told, unless this process itself has told it.
pub(crate) fn heard(payload: &str, process: &str, mut tell: impl FnMut(&LogName)) {
    let mut words = payload.split(' ');
    if words.next() != Some(process) {
        words.filter_map(|name| LogName::try_from(name).ok()).for_each(|name| tell(&name));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_told_is_heard_by_others_in_pieces_that_postgres_takes() {
        let names: Vec<_> =
            (0..1000).map(|n| LogName::try_from(&*format!("log-{n}")).expect("a name")).collect();
        let payloads = payloads("one", names.iter());
        assert!(payloads.iter().all(|payload| payload.len() < 8000));
        let mut all = Vec::new();
        for payload in &payloads {
            heard(payload, "two", |name| all.push(name.clone()));
            heard(payload, "one", |name| panic!("{name} is its own"));
        }
        assert_eq!(all, names);
    }
}
