//! Runs a client that is a program of its own.

use std::path::PathBuf;
use std::process::Stdio;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::process::Command;

use super::Received;

/// Runs `interpreter script arguments` until it has printed `done`.
///
/// # Panics
///
/// If the interpreter is missing, or the script ends without `done`: the message holds its standard error.
///
/// # Cancel safety
///
/// Dropping the future ends the program; `received` has all it printed.
pub(super) async fn run(
    interpreter: PathBuf,
    script: &str,
    arguments: &[&str],
    received: &mut Vec<Received>,
) {
    let mut child = Command::new(&interpreter)
        .arg(directory().join(script))
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap_or_else(|error| {
            let name = interpreter.display();
            panic!("{name}: {error}: run tests/run, which installs it")
        });
    let mut lines = BufReader::new(child.stdout.take().expect("stdout is piped")).lines();
    let mut stderr = child.stderr.take().expect("stderr is piped");
    let print = async {
        while let Some(line) = lines.next_line().await.expect("the program prints UTF-8") {
            received.push(serde_json::from_str(&line).expect("the program prints an event a line"));
        }
    };
    let mut complaint = String::new();
    // Both at once: a program that fills the pipe nobody reads stands still.
    let (_, read) = tokio::join!(print, stderr.read_to_string(&mut complaint));
    read.expect("the program complains in UTF-8");
    let status = child.wait().await.expect("the program was started here");
    let done = status.success() && received.last().is_some_and(Received::is_done);
    assert!(done, "{script} gave up, {status}: {complaint}");
}

/// The folder of the programs, `node_modules` among them.
pub(crate) fn directory() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("clients")
}
