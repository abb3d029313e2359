//! The nginx of the recipe, with its own configuration.

use std::net::{SocketAddr, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use sse_test_kit::eventually::eventually;
use sse_test_kit::port::free_port;
use sse_test_kit::reverse_proxies::program;
use tempfile::TempDir;

const CONFIGURATION: &str = include_str!("../../nginx.conf");

/// Runs until it is dropped.
pub(crate) struct Nginx {
    pub(crate) address: SocketAddr,
    child: Child,
    _folder: TempDir,
}

impl Nginx {
    /// Starts it before these, on a free port, with a folder of its own.
    pub(crate) async fn start([first, second]: [SocketAddr; 2]) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let address = SocketAddr::from(([127, 0, 0, 1], free_port()));
        let path = folder.path().display().to_string();
        let mut configuration = CONFIGURATION.to_owned();
        for (documented, own) in [
            ("daemon off;", "daemon off; master_process off; user root;"), // so that one kill ends it
            ("/tmp/fleet/", &format!("{path}/")),
            ("127.0.0.1:3001", &first.to_string()),
            ("127.0.0.1:3002", &second.to_string()),
            ("127.0.0.1:3000", &address.to_string()),
        ] {
            assert!(configuration.contains(documented), "nginx.conf has no {documented}");
            configuration = configuration.replace(documented, own);
        }
        let file = folder.path().join("nginx.conf");
        std::fs::write(&file, configuration).expect("there is room in the folder");
        let child = Command::new(program("nginx"))
            .args(["-e", "stderr", "-c"])
            .arg(file)
            .stdin(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("it is there");
        let nginx = Self { address, child, _folder: folder };
        let listens = || TcpStream::connect(address).is_ok();
        eventually(Duration::from_secs(10), "nginx listens", listens).await;
        nginx
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        self.child.kill().ok(); // an error means that it has ended
        self.child.wait().ok();
    }
}
