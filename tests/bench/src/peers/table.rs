//! A regime as a table of Markdown.

use std::fmt::Write;

use super::contest::Row;
use super::figures::Spread;

/// Returns the table of these rows, the least CPU first.
pub(crate) fn table(rows: &[Row]) -> String {
    let mut sorted: Vec<_> = rows.iter().filter_map(|row| Some((row, row.ratio()?))).collect();
    sorted.sort_by(|(_, one), (_, other)| one.median.total_cmp(&other.median));
    let delays = sorted.iter().any(|(row, _)| row.windows.iter().any(|one| one.delays.is_some()));
    let mut text = String::from(
        "| server | CPU a delivery, raw sends = 1 | quartiles | microseconds | deliveries a second |",
    );
    text.push_str(if delays { " append to receipt, p50 and p99 |" } else { "" });
    text.push_str(" overlaps with |\n|---|---|---|---|---|---|");
    text.push_str(if delays { "---|\n" } else { "\n" });
    for (row, ratio) in &sorted {
        let cpu = median(row, |window| Some(window.cpu));
        let rate = median(row, |window| Some(window.rate));
        let Spread { low, median: middle, high } = *ratio;
        let _ = write!(
            text,
            "| {} | **{middle:.2}** | {low:.2} to {high:.2} | {cpu:.2} | {} |",
            row.name,
            thousands(rate)
        );
        if delays {
            let p50 = median(row, |window| Some(window.delays?.0));
            let p99 = median(row, |window| Some(window.delays?.1));
            let _ = write!(text, " {p50:.1} and {p99:.1} ms |");
        }
        let beside =
            |(other, its): &&(&Row, Spread)| other.name != row.name && its.overlaps(*ratio);
        let names: Vec<_> = sorted.iter().filter(beside).map(|(other, _)| other.name).collect();
        let _ = writeln!(text, " {} |", names.join("; "));
    }
    for row in rows.iter().filter(|row| row.failed.is_some()) {
        let why = row.failed.as_deref().unwrap_or_default();
        let _ = writeln!(text, "\n{}: {why}.", row.name);
    }
    for (row, _) in &sorted {
        let windows = row.windows.iter().filter(|window| window.is_of_client()).count();
        if windows > 0 {
            let all = row.windows.len();
            let _ = writeln!(
                text,
                "\n{}: in {windows} of {all} windows the client was the bottleneck, not the server: it could deliver more a second.",
                row.name
            );
        }
    }
    text
}

fn median(row: &Row, of: impl Fn(&super::figures::Window) -> Option<f64>) -> f64 {
    row.spread(of).map_or(f64::NAN, |spread| spread.median)
}

fn thousands(figure: f64) -> String {
    let digits = format!("{figure:.0}");
    let groups: Vec<_> = digits.as_bytes().rchunks(3).rev().collect();
    groups.iter().map(|group| String::from_utf8_lossy(group)).collect::<Vec<_>>().join(" ")
}
