//! The servers as processes: how each is started, and what it uses.

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use nix::sched::{CpuSet, sched_setaffinity};
use nix::time::{clock_getcpuclockid, clock_gettime};
use nix::unistd::Pid;
use sse_test_kit::port::free_address;

use super::control::Publisher;
use super::servers::IN_RUST;
use crate::processes::{children, private_and_resident};

/// The servers that are not in Rust.
const OTHERS: [&str; 3] = ["nchan", "http-event-stream", "better-sse"];

/// The options of a regime for a server.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Setup {
    /// The number of topics.
    pub(crate) topics: usize,
    /// The number of events that are kept for a replay.
    pub(crate) kept: usize,
}

/// The names of all servers, as the tables list them.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    IN_RUST.iter().map(|(name, _)| *name).chain(OTHERS)
}

/// A server in a process of its own, which ends when this is dropped.
#[derive(Debug)]
pub(crate) struct Running {
    pub(crate) address: SocketAddr,
    pub(crate) publisher: Publisher,
    child: Child,
    folder: Option<PathBuf>,
}

/// Starts a server on the first core.
///
/// # Errors
///
/// Says what is missing, or what failed.
pub(crate) fn start(program: &Path, name: &str, setup: Setup) -> Result<Running, String> {
    let Setup { topics, kept } = setup;
    let mut folder = None;
    let mut address = None;
    let mut command = match name {
        "nchan" => {
            let module = "/usr/lib/nginx/modules/ngx_nchan_module.so";
            if !Path::new(module).exists() {
                return Err("not installed (Debian's libnginx-mod-nchan)".into());
            }
            let (listen, in_folder) = (free_address(), folder_of(name));
            let configuration = in_folder.join("nginx.conf");
            fs::write(&configuration, nginx(module, listen, &in_folder, kept))
                .map_err(|error| error.to_string())?;
            (folder, address) = (Some(in_folder), Some(listen));
            let mut command = Command::new("/usr/sbin/nginx");
            command.args(["-e", "stderr", "-c"]).arg(configuration);
            command
        }
        "http-event-stream" | "better-sse" => {
            let clients = Path::new(env!("CARGO_MANIFEST_DIR")).join("../clients");
            let node = node(program).ok_or("Node is not installed (tests/run installs it)")?;
            if !clients.join("node_modules").join(name).exists() {
                return Err("not installed (tests/run installs it)".into());
            }
            let mut command = Command::new(node);
            command.arg(clients.join(format!("{}_server.mjs", name.replace('-', "_"))));
            command.args([topics.to_string(), kept.to_string()]);
            command
        }
        _ => {
            let mut command = Command::new(program);
            command.args(["peer", "--peer", name, "--topics", &topics.to_string()]);
            command.args(["--kept", &kept.to_string()]);
            command
        }
    };
    command.stdin(Stdio::piped()).stdout(Stdio::piped());
    // A process runs on the core of the thread that starts it.
    on_core(0);
    let child = command.spawn();
    on_core(1);
    let mut child = child.map_err(|error| format!("{command:?}: {error}"))?;
    let address = match address {
        Some(address) => until_it_listens(address)?,
        None => {
            let stdout = child.stdout.take().ok_or("it is piped")?;
            let mut line = String::new();
            BufReader::new(stdout).read_line(&mut line).map_err(|error| error.to_string())?;
            line.trim().parse().map_err(|_| format!("it does not say where it listens: {line}"))?
        }
    };
    let publisher = Publisher::new(address, topics, name == "nchan");
    Ok(Running { address, publisher, child, folder })
}

/// Runs this thread on that core, if there are as many.
pub(crate) fn on_core(core: usize) {
    let mut cores = CpuSet::new();
    if cores.set(core).is_ok() {
        let _ = sched_setaffinity(Pid::from_raw(0), &cores);
    }
}

impl Running {
    /// The processor time that it has used, user and system.
    pub(crate) fn cpu(&self) -> Duration {
        let of = |id: u32| {
            let clock = clock_getcpuclockid(Pid::from_raw(id as i32)).and_then(clock_gettime);
            clock.map(Duration::from).unwrap_or_default()
        };
        self.ids().map(of).sum()
    }

    /// The memory that it alone has, in bytes.
    pub(crate) fn private(&self) -> i64 {
        self.ids().map(|id| private_and_resident(id).0).sum()
    }

    fn ids(&self) -> impl Iterator<Item = u32> {
        let own = self.child.id();
        // Only nginx has further processes, which do not change.
        let further = if self.folder.is_some() { children(own) } else { Vec::new() };
        std::iter::once(own).chain(further)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let id = self.child.id();
        if let Some(folder) = &self.folder {
            // A master ends its workers if it is asked to end.
            drop(Command::new("kill").arg(id.to_string()).status());
            drop(fs::remove_dir_all(folder));
        } else {
            drop(self.child.kill());
        }
        drop(self.child.wait());
    }
}

fn until_it_listens(address: SocketAddr) -> Result<SocketAddr, String> {
    for _ in 0..500 {
        if std::net::TcpStream::connect(address).is_ok() {
            return Ok(address);
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    Err("it does not listen within 5 s".into())
}

/// The Node that `tests/run` installs in cargo's target folder, in which this program is, too.
pub(crate) fn node(program: &Path) -> Option<PathBuf> {
    let mut nodes = program.ancestors().map(|folder| folder.join("python-clients/node/bin/node"));
    nodes.find(|node| node.exists())
}

fn folder_of(name: &str) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("sse-bench-{name}-{}", std::process::id()));
    drop(fs::create_dir_all(&folder));
    folder
}

fn nginx(module: &str, address: SocketAddr, folder: &Path, kept: usize) -> String {
    let folder = folder.display();
    let kept = kept.max(1000);
    format!(
        "load_module {module};
        daemon off; worker_processes 1; user root; pid {folder}/pid; worker_rlimit_nofile 20000;
        events {{ worker_connections 19000; }}
        http {{
            access_log off; keepalive_requests 1000000000; keepalive_timeout 3600; send_timeout 3600;
            client_max_body_size 4m; client_body_buffer_size 2m; client_body_temp_path {folder}/body;
            nchan_shared_memory_size 1024m;
            server {{
                listen {address} backlog=1024;
                location ~ ^/publish/(\\d+)$ {{
                    nchan_publisher; nchan_channel_id $1;
                    nchan_message_buffer_length {kept}; nchan_message_timeout 1h;
                }}
                location ~ ^/events/(\\d+)$ {{
                    nchan_subscriber eventsource; nchan_channel_id $1;
                    nchan_subscriber_first_message newest; nchan_eventsource_ping_interval 15;
                }}
                location = /replay {{
                    nchan_subscriber eventsource; nchan_channel_id 0;
                    nchan_subscriber_first_message oldest; nchan_eventsource_ping_interval 15;
                }}
            }}
        }}"
    )
}
