//! Runs a client that is a program of its own.

use std::path::PathBuf;
use std::process::Stdio;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::process::Command;

use super::Received;

/// Runs `interpreter script url` until it has printed `done`.
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
    url: &str,
    received: &mut Vec<Received>,
) {
    let mut child = Command::new(&interpreter)
        .arg(directory().join(script))
        .arg(url)
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

/// A file of a package of `requirements.txt`: a server, say.
///
/// # Panics
///
/// If it is not installed.
pub(crate) fn packaged(file: &str) -> PathBuf {
    let test = std::env::current_exe().expect("a test is a file");
    let mut folders = test.ancestors().filter_map(|folder| {
        let versions = std::fs::read_dir(folder.join("python-clients/lib")).ok()?;
        let files = versions.flatten().map(|v| v.path().join("site-packages").join(file));
        files.filter(|file| file.exists()).last()
    });
    folders.next().unwrap_or_else(|| panic!("{file} is missing: run tests/run"))
}

/// The folder of the programs, `node_modules` among them.
pub(crate) fn directory() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("clients")
}

/// The Python that has the packages of `requirements.txt`.
///
/// # Panics
///
/// If there is none.
pub(super) fn python() -> PathBuf {
    installed("bin/python")
}

/// Node, as new as the packages of `package.json` ask for.
///
/// # Panics
///
/// If there is none.
pub fn node() -> PathBuf {
    installed("node/bin/node")
}

/// A program that `tests/run` has installed in cargo's target folder; this test was built in there too.
///
/// # Panics
///
/// If it is missing.
pub(crate) fn installed(program: &str) -> PathBuf {
    let test = std::env::current_exe().expect("a running test has a path");
    let mut folders = test.ancestors().map(|folder| folder.join("python-clients").join(program));
    let found = folders.find(|path| path.exists());
    found.unwrap_or_else(|| panic!("python-clients/{program} is missing: run tests/run"))
}
