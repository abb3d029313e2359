//! The programs of Postgres, which do not run as root.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::Command;

use super::postgres_cluster::copy;
use crate::installed::packaged;

/// The Postgres that runs: Debian's, or a newer one, of PyPI's `pgserver`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Version {
    Installed,
    Newer,
}

pub(super) fn version_of(version: Version) -> String {
    let version = program(version, "initdb").arg("--version").output();
    String::from_utf8_lossy(&version.expect("initdb runs").stdout).trim().to_owned()
}

/// A program of Postgres, which does not run as root.
pub(super) fn program(version: Version, name: &str) -> Command {
    let installed = || installed(name).unwrap_or_else(|| PathBuf::from(name));
    let mut command = Command::new(match version {
        Version::Installed => installed(),
        Version::Newer => newer(name),
    });
    if let Some((user, group)) = user() {
        command.uid(user).gid(group);
    }
    command.current_dir("/");
    command
}

/// The newest that Debian has installed.
fn installed(name: &str) -> Option<PathBuf> {
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let programs = versions.map(|version| version.path().join("bin").join(name));
    programs.filter(|program| program.exists()).max()
}

/// That of PyPI's `pgserver`, which `tests/run` installs: copied once to where the user of Postgres may look.
fn newer(name: &str) -> PathBuf {
    let copied = std::env::temp_dir().join(format!("sse-test-kit-{PGSERVER}"));
    if !copied.exists() {
        let package = packaged("pgserver");
        let from = package.parent().expect("a package is in a folder");
        let own = std::env::temp_dir().join(format!("sse-test-kit-{}", std::process::id()));
        fs::create_dir_all(&own).expect("a temporary folder");
        for part in ["pgserver", "pgserver.libs"] {
            copy(&from.join(part), &own.join(part));
        }
        // Others may make it at the same time: the first wins, and all are alike.
        if fs::rename(&own, &copied).is_err() {
            _ = fs::remove_dir_all(&own);
        }
    }
    copied.join("pgserver/pginstall/bin").join(name)
}

/// The package, of the version that `tests/clients/requirements.txt` names.
const PGSERVER: &str = "pgserver-0.1.4";

/// The user and group of Postgres, where we are root.
pub(super) fn user() -> Option<(u32, u32)> {
    if fs::metadata("/proc/self").expect("Linux shows a process to itself").uid() != 0 {
        return None;
    }
    let users = fs::read_to_string("/etc/passwd").expect("a list of users");
    let user = users.lines().find(|line| line.starts_with("postgres:"));
    let user = user.expect("the user postgres (Debian's package `postgresql`)");
    let mut numbers = user.split(':').skip(2).map_while(|field| field.parse().ok());
    Some((numbers.next()?, numbers.next()?))
}
