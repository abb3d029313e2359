use sse_core::store::LogName;

/// Listens to the channel of all notifications, `sse_log`.
pub(crate) const LISTEN: &str = "LISTEN sse_log";
/// Notifies with one payload, in the transaction of an application.
pub(crate) const NOTIFY: &str = "SELECT pg_notify('sse_log', $1)";
/// Notifies with each payload. This transaction does not wait for the disk, since nothing depends on it, and its wait would delay all
/// transactions that notify, in the whole cluster.
pub(crate) const NOTIFY_ALL: &str = "SELECT set_config('synchronous_commit', 'off', true), pg_notify('sse_log', payload) FROM unnest($1::text[]) AS t (payload)";
/// Length in bytes at which a payload is full. One more name fits: Postgres accepts payloads of up to 8 000 bytes.
const FULL: usize = 7000;

/// Returns the payloads that notify of changed logs: the sending process, and the names of the logs.
pub(crate) fn payloads<'a>(process: &str, names: impl Iterator<Item = &'a LogName>) -> Vec<String> {
    let mut payloads: Vec<String> = Vec::new();
    for name in names {
        match payloads.last_mut() {
            Some(last) if last.len() < FULL => *last += &format!(" {name}"),
            _ => payloads.push(format!("{process} {name}")),
        }
    }
    payloads
}

/// Calls `notify` with each name in a payload, unless this process has sent it.
pub(crate) fn parse_payload(payload: &str, process: &str, mut notify: impl FnMut(&LogName)) {
    let mut words = payload.split(' ');
    if words.next() != Some(process) {
        words.filter_map(|name| LogName::try_from(name).ok()).for_each(|name| notify(&name));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_process_reads_all_names_from_payloads_that_postgres_accepts() {
        let names: Vec<_> =
            (0..1000).map(|n| LogName::try_from(&*format!("log-{n}")).expect("a name")).collect();
        let payloads = payloads("one", names.iter());
        assert!(payloads.iter().all(|payload| payload.len() < 8000));
        let mut all = Vec::new();
        for payload in &payloads {
            parse_payload(payload, "two", |name| all.push(name.clone()));
            parse_payload(payload, "one", |name| panic!("{name} is from this process"));
        }
        assert_eq!(all, names);
    }
}
