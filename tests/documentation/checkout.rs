//! A fresh clone of this repository, and cargo as its user runs it.

use std::path::{Path, PathBuf};
use std::process::Command;

use tokio::sync::{Mutex, MutexGuard};

use crate::blocks::root;

/// One build at a time: cargo would have the others wait anyway, and their programs may have the same name.
static BUILDING: Mutex<()> = Mutex::const_new(());

pub(crate) async fn building() -> MutexGuard<'static, ()> {
    BUILDING.lock().await
}

/// The folder into which cargo has built this test, so that what was built is used again.
pub(crate) fn target() -> PathBuf {
    let test = std::env::current_exe().expect("a running test has a path");
    let target = test.ancestors().nth(3).expect("cargo puts tests into target/PROFILE/deps");
    target.to_owned()
}

/// Returns the folder in which this test keeps what it need not build again.
pub(crate) fn kept() -> PathBuf {
    target().join("documentation")
}

/// The cargo that runs this test, in a folder.
pub(crate) fn cargo(folder: &Path) -> Command {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    // The workspace's profile would optimize the dependencies, which takes longer.
    cargo.env("CARGO_PROFILE_DEV_DEBUG", "line-tables-only");
    cargo.env("CARGO_TARGET_DIR", target()).current_dir(folder);
    cargo
}

/// Runs a command that has to succeed.
pub(crate) fn succeed(command: &mut Command) {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {said}");
}

/// A repository with the files as they are now, changes that are not committed among them.
///
/// The same files make the same commit, so that cargo need not build it again. The caller holds [`building`].
pub(crate) fn repository() -> PathBuf {
    let repository = kept().join("sse-as-it-is");
    std::fs::remove_dir_all(&repository).ok(); // there may be none
    std::fs::create_dir_all(&repository).expect("the target folder can be written to");
    let git = |arguments: &[&str]| {
        let mut git = Command::new("git");
        let who = [("NAME", "test"), ("EMAIL", "test"), ("DATE", "2026-01-01T00:00:00Z")];
        for (what, value) in who {
            git.env(format!("GIT_AUTHOR_{what}"), value);
            git.env(format!("GIT_COMMITTER_{what}"), value);
        }
        git.env("GIT_DIR", repository.join(".git")).env("GIT_WORK_TREE", root());
        succeed(git.args(arguments).current_dir(root()));
    };
    git(&["-c", "init.defaultBranch=main", "init", "--quiet"]);
    git(&["add", "--all"]);
    git(&["commit", "--quiet", "--no-verify", "--no-gpg-sign", "--message", "as it is"]);
    repository
}
