//! A certificate that nobody trusts who was not told to, for the time of a test.

use std::path::Path;
use std::process::Command;

/// Writes `certificate.pem`, `key.pem`, and both in `both.pem`.
///
/// # Panics
///
/// Where OpenSSL is missing: the message names the package.
pub fn make(folder: &Path) {
    let made = Command::new("openssl")
        .args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"])
        .args(["-days", "2", "-subj", "/CN=localhost"])
        .args(["-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"])
        // The certificate of a server: clients refuse one that could sign others, even if they trust it.
        .args(["-addext", "basicConstraints=critical,CA:FALSE"])
        .args(["-keyout", "key.pem", "-out", "certificate.pem"])
        .current_dir(folder)
        .output()
        .unwrap_or_else(|error| {
            panic!("openssl: {error}; tests/run installs it (Debian: openssl)")
        });
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let read = |name| std::fs::read_to_string(folder.join(name)).expect("openssl has written it");
    let both = read("certificate.pem") + &read("key.pem");
    std::fs::write(folder.join("both.pem"), both).expect("there is room in the folder");
}
