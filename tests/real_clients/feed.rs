//! What is published: 1 500 events, lines of a real log among them.

/// The first that is there is read. Any Debian has one of the first two, and everyone the last.
const LOGS: [&str; 3] = [
    "/var/log/dpkg.log",
    "/var/lib/dpkg/status",
    concat!(env!("CARGO_MANIFEST_DIR"), "/../Cargo.lock"),
];

/// Types and data of the events: 1 500, and then `done`.
pub(crate) fn events() -> Vec<(&'static str, String)> {
    let log = LOGS.iter().find_map(|path| std::fs::read(path).ok());
    let log = log.expect("one of the files is there");
    // A carriage return comes back as a line feed, and NUL as another character.
    let log = String::from_utf8_lossy(&log).replace(['\r', '\0'], "");
    let mut lines = log.lines().cycle();
    let mut next = || lines.next().expect("the file is not empty").to_owned();
    let mut events: Vec<_> = (0..1_500)
        .map(|n| match n % 6 {
            0 => ("message", format!("{{\"number\":{n}}}")),
            1 | 2 => ("log", next()),
            3 => ("message", format!("{n}\n\n  {}\n", next())),
            4 => ("log", format!("№ {n}, žluťoučký kůň 🐎\u{2028}{}", next())),
            _ => ("message", String::new()),
        })
        .collect();
    events.push(("done", "nothing follows".to_owned()));
    events
}
