//! The processes of Postgres, and the folder that they work in.

use std::fs::{self, File, Permissions};
use std::net::SocketAddr;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use super::postgres_programs::{Version, program, user, version_of};

/// A cluster that runs until it is dropped.
#[derive(Debug)]
pub(super) struct Cluster(Child);

impl Cluster {
    pub(super) fn start(
        version: Version,
        folder: &Path,
        address: SocketAddr,
        environment: &[(String, String)],
    ) -> Self {
        let log = File::options().create(true).append(true).open(folder.join("log"));
        let log = log.expect("a file in a folder of our own");
        let child = program(version, "postgres")
            .envs(environment.iter().cloned())
            .arg("-D")
            .arg(folder.join("data"))
            .args(["-h", "127.0.0.1", "-p", &address.port().to_string(), "-k", ""])
            .args(["-c", "fsync=on", "-c", "shared_buffers=32MB"])
            // In a file of its folder, which goes with it however it ends.
            .args(["-c", "dynamic_shared_memory_type=mmap"])
            .stdin(Stdio::null())
            .stdout(log.try_clone().expect("a file"))
            .stderr(log)
            .spawn();
        Self(child.expect("postgres runs (Debian's package `postgresql`)"))
    }

    pub(super) fn has_ended(&mut self) -> bool {
        self.0.try_wait().is_ok_and(|status| status.is_some())
    }

    /// Stops all its processes from running.
    pub(super) fn pause(&self) {
        // The first begins no others then.
        signal("STOP", &[self.0.id()]);
        signal("STOP", &children(self.0.id()));
    }

    pub(super) fn resume(&self) {
        signal("CONT", &children(self.0.id()));
        signal("CONT", &[self.0.id()]);
    }

    /// Ends all its processes, as `kill -9` does.
    pub(super) fn kill(mut self) {
        self.pause();
        let children = children(self.0.id());
        signal("KILL", &children);
        signal("KILL", &[self.0.id()]);
        _ = self.0.wait();
        // They hold the shared memory, without which it does not start again.
        patiently(|| children.iter().all(|child| parent(*child).is_none()));
    }
}

impl Drop for Cluster {
    /// At once, and yet so that it gives the shared memory back, of which the system has so many pieces.
    fn drop(&mut self) {
        if !self.has_ended() {
            self.resume();
            signal("QUIT", &[self.0.id()]);
            if !patiently(|| self.has_ended()) {
                _ = self.0.kill();
                _ = self.0.wait();
            }
        }
    }
}

/// Tells whether the condition holds within 10 s.
fn patiently(mut is_so: impl FnMut() -> bool) -> bool {
    let begun = Instant::now();
    while !is_so() {
        if begun.elapsed() > Duration::from_secs(10) {
            return false;
        }
        thread::sleep(Duration::from_millis(2));
    }
    true
}

fn signal(signal: &str, processes: &[u32]) {
    let processes = processes.iter().map(u32::to_string);
    // Some have ended meanwhile.
    let script = "kill -s $0 $* 2>&-";
    _ = Command::new("sh").args(["-c", script, signal]).args(processes).status();
}

fn children(of: u32) -> Vec<u32> {
    let processes = fs::read_dir("/proc").expect("Linux lists its processes").flatten();
    let ids = processes.filter_map(|process| process.file_name().to_str()?.parse().ok());
    ids.filter(|id| parent(*id) == Some(of)).collect()
}

/// The process that began this one, if it still runs.
fn parent(of: u32) -> Option<u32> {
    let status = fs::read_to_string(format!("/proc/{of}/status")).ok()?;
    let field = |name| status.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
    field("State:").filter(|state| !state.starts_with('Z'))?;
    field("PPid:")?.parse().ok()
}

/// A folder that the user of Postgres can enter: in memory where there is room, since after a crash Postgres writes each of a thousand
/// files to the disk, for which a busy one takes seconds. What ends with its processes is no different there.
pub(super) fn folder() -> TempDir {
    let folder = match is_roomy(MEMORY) {
        true => TempDir::new_in(MEMORY),
        false => TempDir::new(),
    };
    let folder = folder.expect("a temporary folder");
    fs::set_permissions(folder.path(), Permissions::from_mode(0o755)).expect("it is ours");
    if let Some((user, group)) = user() {
        chown(folder.path(), Some(user), Some(group)).expect("root may");
    }
    folder
}

const MEMORY: &str = "/dev/shm";

/// Tells whether 2 GB are left: some containers have 64 MB in all.
fn is_roomy(folder: &str) -> bool {
    let free = Command::new("df").args(["--output=avail", "-k", folder]).output();
    let free = String::from_utf8(free.map(|free| free.stdout).unwrap_or_default());
    free.is_ok_and(|free| {
        free.lines().nth(1).and_then(|kb| kb.trim().parse::<u64>().ok()) > Some(2_000_000)
    })
}

/// Puts the data of a new cluster there. Each is a copy of one cluster.
pub(super) fn data(version: Version, folder: &Path) {
    copy(&template(version), &folder.join("data"));
}

/// Copies a folder, with the owners of what is in it.
pub(super) fn copy(from: &Path, to: &Path) {
    let copied = Command::new("cp").arg("-a").arg(from).arg(to).status();
    assert!(copied.expect("cp runs").success());
}

/// The same, of another cluster: each is known by a number.
pub(super) fn data_of_another(version: Version, folder: &Path) {
    let made = program(version, "initdb")
        .args(["--auth=trust", "--username=postgres", "--encoding=UTF8", "--locale=C"])
        .args(["--no-sync", "--wal-segsize=1", "-D"])
        .arg(folder.join("data"))
        .output()
        .expect("initdb runs (Debian's package `postgresql`)");
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
}

/// The data of a new cluster, made once: it takes a second.
fn template(version: Version) -> PathBuf {
    static TEMPLATES: [OnceLock<PathBuf>; 2] = [OnceLock::new(), OnceLock::new()];
    let template = || {
        let owner = user().map_or_else(|| "self".to_owned(), |(user, _)| user.to_string());
        let name = version_of(version).replace(|c: char| !c.is_ascii_alphanumeric(), "-");
        let target = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target");
        let template = target.join(format!("postgres-template-{name}-{owner}"));
        if template.exists() {
            return template;
        }
        let folder = folder();
        data_of_another(version, folder.path());
        // Others may make it at the same time: the first wins, and all are alike.
        let own = target.join(format!("postgres-template-{}", std::process::id()));
        fs::create_dir_all(&target).expect("the folder of what is built");
        let copied =
            Command::new("cp").arg("-a").arg(folder.path().join("data")).arg(&own).status();
        assert!(copied.expect("cp runs").success());
        if fs::rename(&own, &template).is_err() {
            _ = fs::remove_dir_all(&own);
        }
        template
    };
    TEMPLATES[version as usize].get_or_init(template).clone()
}
