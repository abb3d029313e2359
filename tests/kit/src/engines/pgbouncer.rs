//! PgBouncer, between a log and Postgres.

use std::net::SocketAddr;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;

use super::postgres_cluster::folder;
use super::postgres_programs::user;
use crate::eventually::eventually_asked;
use crate::port::free_address;

/// The time that it may take to start, on a machine that is busy.
const WITHIN: Duration = Duration::from_secs(20);

/// Gone when it is dropped.
#[derive(Debug)]
pub struct PgBouncer {
    address: SocketAddr,
    process: Child,
    _folder: TempDir,
}

impl PgBouncer {
    /// Starts one before the Postgres at this address. `mode` is `session` or `transaction`; `more` are lines of its configuration.
    ///
    /// # Panics
    ///
    /// If it is missing, or does not start.
    pub async fn start(postgres: SocketAddr, mode: &str, more: &str) -> Self {
        let (address, folder) = (free_address(), folder());
        let configuration = format!(
            "[databases]\npostgres = host=127.0.0.1 port={}\n[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {}\n\
             unix_socket_dir =\nauth_type = any\npool_mode = {mode}\n{more}\n[users]\n",
            postgres.port(),
            address.port()
        );
        // A client that connects is this user at the server.
        let configuration = configuration.replace("host=", "user=postgres host=");
        let file = folder.path().join("pgbouncer.ini");
        std::fs::write(&file, configuration).expect("a folder of our own");
        let mut command = Command::new(program());
        command.arg(&file).current_dir("/").stdin(Stdio::null()).stdout(Stdio::null());
        if let Some((user, group)) = user() {
            command.uid(user).gid(group);
        }
        let process = command.stderr(Stdio::null()).spawn();
        let process = process.expect("pgbouncer runs (Debian's package `pgbouncer`)");
        let listens = async || tokio::net::TcpStream::connect(address).await.is_ok();
        eventually_asked(WITHIN, "pgbouncer listens", listens).await;
        Self { address, process, _folder: folder }
    }

    /// Returns the URL by which a log is opened through it.
    pub fn url(&self) -> String {
        format!("postgres://postgres@{}/postgres", self.address)
    }
}

/// Debian has servers where only root looks.
fn program() -> &'static str {
    let debian = "/usr/sbin/pgbouncer";
    if std::path::Path::new(debian).exists() { debian } else { "pgbouncer" }
}

impl Drop for PgBouncer {
    fn drop(&mut self) {
        // It may have ended by itself.
        _ = self.process.kill();
        _ = self.process.wait();
    }
}
