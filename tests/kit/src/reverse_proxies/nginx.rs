//! nginx.

use super::{Arranged, Site, replaced};

/// The file is a part of a larger one, which comes with the package.
pub(super) fn arrange(configuration: &str, site: &Site) -> Arranged {
    let folder = site.folder.display().to_string();
    let server = |server| format!("server {server} max_fails=0;");
    let servers: Vec<_> = site.upstream.iter().map(server).collect();
    let configuration =
        replaced(configuration, "server 127.0.0.1:3000 max_fails=0;", &servers.join(" "));
    let configuration =
        replaced(&configuration, "listen 80;", &format!("listen 127.0.0.1:{};", site.http));
    let configuration =
        replaced(&configuration, "listen 443 ", &format!("listen 127.0.0.1:{} ", site.https));
    let configuration = replaced(
        &configuration,
        "/etc/ssl/certs/example.org.pem",
        &format!("{folder}/certificate.pem"),
    );
    let configuration =
        replaced(&configuration, "/etc/ssl/private/example.org.key", &format!("{folder}/key.pem"));
    // If a user other than root runs it, `user` does nothing.
    let configuration = format!(
        "daemon off; master_process off; user root; pid {folder}/pid; error_log stderr;
        events {{}}
        http {{
            access_log off;
            client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxied;
            fastcgi_temp_path {folder}/fastcgi; uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
            {configuration}
        }}"
    );
    let arguments = ["-e", "stderr", "-c"].map(str::to_owned).to_vec();
    Arranged { configuration, arguments }
}
