//! The counts that are committed, and those that are above them.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// A count.
#[derive(Debug, Clone)]
pub struct Figure {
    /// The name of the count.
    pub name: String,
    /// The count itself.
    pub value: f64,
    /// The part more than what is committed is allowed.
    pub allowed: f64,
}

/// Compares the counts with those that are committed.
pub fn check(figures: &[Figure]) -> ExitCode {
    let committed = std::fs::read_to_string(file()).unwrap_or_default();
    let problems: Vec<_> = figures.iter().filter_map(|figure| figure.problem(&committed)).collect();
    for figure in figures {
        println!("{}", figure.line());
    }
    if problems.is_empty() {
        return ExitCode::SUCCESS;
    }
    for problem in &problems {
        eprintln!("{problem}");
    }
    eprintln!(
        "A delivery costs more than before. If it must, run `cargo run --release -p sse-gates -- commit`, commit tests/gates/committed.txt, and say why in the message."
    );
    ExitCode::FAILURE
}

/// Writes the counts to the file that is committed.
pub fn commit(figures: &[Figure]) -> ExitCode {
    let lines: Vec<_> = figures.iter().map(|figure| figure.line() + "\n").collect();
    match std::fs::write(file(), lines.concat()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{}: {error}", file().display());
            ExitCode::FAILURE
        }
    }
}

fn file() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("committed.txt")
}

impl Figure {
    fn line(&self) -> String {
        format!("{}: {:.3}", self.name, self.value)
    }

    fn problem(&self, committed: &str) -> Option<String> {
        let Self { name, value, allowed } = self;
        let mut lines = committed.lines().filter_map(|line| line.rsplit_once(": "));
        let Some(known) = lines.find_map(|(of, known)| (of == name).then(|| known.parse::<f64>()))
        else {
            return Some(format!("{name}: nothing is committed"));
        };
        let Ok(known) = known else {
            return Some(format!("{name}: what is committed is no number"));
        };
        let most = known * (1.0 + allowed) + 1e-9;
        let percent = 100.0 * allowed;
        (*value > most).then(|| {
            format!(
                "{name}: {value:.3}, where {known:.3} is committed and {percent} % more is allowed"
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(value: f64, committed: &str, refused: bool) {
        let figure = Figure { name: "a: b".into(), value, allowed: 0.03 };
        assert_eq!(figure.problem(committed).is_some(), refused, "{value} beside {committed}");
    }

    #[test]
    fn a_figure_above_what_is_committed_is_refused() {
        check(103.0, "x: 1\na: b: 100.000\n", false);
        check(104.0, "x: 1\na: b: 100.000\n", true);
        check(50.0, "a: b: 100.000\n", false);
        check(1.0, "x: 1\n", true);
        check(1.0, "a: b: many\n", true);
    }
}
