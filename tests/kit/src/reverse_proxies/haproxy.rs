//! HAProxy.

use super::{Arranged, Site, replaced};

/// The file is the whole.
pub(super) fn arrange(configuration: &str, site: &Site) -> Arranged {
    let folder = site.folder.display();
    let servers: Vec<_> =
        site.upstream.iter().map(|server| format!("server {server} {server}")).collect();
    let configuration =
        replaced(configuration, "server application 127.0.0.1:3000", &servers.join("\n    "));
    let configuration =
        replaced(&configuration, "bind :80", &format!("bind 127.0.0.1:{}", site.http));
    let configuration =
        replaced(&configuration, "bind :443", &format!("bind 127.0.0.1:{}", site.https));
    let configuration = replaced(
        &configuration,
        "/etc/haproxy/certs/example.org.pem",
        &format!("{folder}/both.pem"),
    );
    Arranged { configuration, arguments: ["-db", "-f"].map(str::to_owned).to_vec() }
}
