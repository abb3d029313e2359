//! Caddy.

use super::{Arranged, Site, replaced};

/// The file is the whole. It stands for both of HTTP and HTTPS, which a test names apart.
pub(super) fn arrange(configuration: &str, site: &Site) -> Arranged {
    let folder = site.folder.display();
    let servers: Vec<_> = site.upstream.iter().map(ToString::to_string).collect();
    let configuration = replaced(configuration, "127.0.0.1:3000", &servers.join(" "));
    let http = format!("http://127.0.0.1:{} {{", site.http);
    let https = format!(
        "https://127.0.0.1:{} {{\n\ttls {folder}/certificate.pem {folder}/key.pem",
        site.https
    );
    let configuration = format!(
        "{{\n\tadmin off\n\tauto_https off\n\tstorage file_system {folder}/storage\n}}\n{}\n{}",
        replaced(&configuration, "example.org {", &http),
        replaced(&configuration, "example.org {", &https),
    );
    let arguments = ["run", "--adapter", "caddyfile", "--config"].map(str::to_owned).to_vec();
    Arranged { configuration, arguments }
}
