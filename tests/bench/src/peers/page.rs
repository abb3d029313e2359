//! The page `docs/performance.md`: what was measured is between two comments, and only that is written.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::peer::node;

/// Writes what was measured of a regime into the page, with the date, and what it was measured with.
///
/// # Panics
///
/// If the page has no place for it.
pub(crate) fn write(program: &Path, regime: &str, method: &str, table: &str) {
    let path = docs().join("performance.md");
    let page = fs::read_to_string(&path).expect("the page is there");
    let begin = format!("<!-- measured: {regime} -->\n");
    let end = "<!-- end -->";
    let (before, rest) = page.split_once(&begin).expect("the page has a place for each regime");
    let (_, after) = rest.split_once(end).expect("what was measured has an end");
    let method = wrapped(&format!("{method} {}", versions(program)));
    let measured = format!("{method}\n{table}");
    fs::write(path, format!("{before}{begin}{measured}{end}{after}")).expect("it can be written");
}

/// Writes a picture of the page.
///
/// # Panics
///
/// If it cannot.
pub(crate) fn draw(name: &str, svg: &str) {
    let folder = docs().join("performance");
    fs::create_dir_all(&folder).expect("a folder can be made");
    fs::write(folder.join(format!("{name}.svg")), svg).expect("it can be written");
}

/// Breaks prose into lines as long as those of the pages.
fn wrapped(prose: &str) -> String {
    let (mut text, mut length) = (String::new(), 0);
    for word in prose.split(' ') {
        if length + word.len() > 115 {
            text.push('\n');
            length = 0;
        } else if !text.is_empty() {
            text.push(' ');
        }
        text.push_str(word);
        length += word.len() + 1;
    }
    text + "\n"
}

fn docs() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs")
}

/// The date, the versions, and the machine.
fn versions(program: &Path) -> String {
    let lock = include_str!("../../../../Cargo.lock");
    let of = |name: &str| {
        let entry = format!("name = \"{name}\"\nversion = \"");
        let rest = lock.split_once(&entry).map(|(_, rest)| rest)?;
        rest.split('"').next().map(|version| format!("{name} {version}"))
    };
    let crates: Vec<_> = ["axum", "actix-web", "actix-web-lab", "warp", "rocket", "tokio"]
        .into_iter()
        .filter_map(of)
        .collect();
    let clients = Path::new(env!("CARGO_MANIFEST_DIR")).join("../clients/node_modules");
    let npm = |name: &str| {
        let text = fs::read_to_string(clients.join(name).join("package.json")).ok()?;
        let version = text.split_once("\"version\":")?.1.split('"').nth(1)?;
        Some(format!("{name} {version}"))
    };
    let npm: Vec<_> = ["http-event-stream", "better-sse"].into_iter().filter_map(npm).collect();
    let node = node(program).map(|node| said(node.as_os_str(), "--version")).unwrap_or_default();
    let processors = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let of_each = || processors.lines().filter_map(|line| line.strip_prefix("model name\t: "));
    // All of them: this process runs on one.
    let (model, cores) = (of_each().next().unwrap_or("?"), of_each().count());
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load = load.split(' ').next().unwrap_or_default().to_owned();
    format!(
        "{}; {}; {}; {}; nchan of Debian ({}); Node {node}; {}; Linux {}, {model}; load at the end {load} (cores: {cores}).",
        said("date".as_ref(), "+%-d %B %Y"),
        said("rustc".as_ref(), "--version"),
        crates.join(", "),
        npm.join(", "),
        said("dpkg-query".as_ref(), "--showformat=${Version}").trim(),
        "release, without LTO",
        said("uname".as_ref(), "-r"),
    )
}

fn said(program: &std::ffi::OsStr, argument: &str) -> String {
    let mut command = Command::new(program);
    command.arg(argument);
    if argument.starts_with("--showformat") {
        command.args(["--show", "libnginx-mod-nchan"]);
    }
    let output = command.output().map(|output| output.stdout).unwrap_or_default();
    String::from_utf8_lossy(&output).trim().to_owned()
}
