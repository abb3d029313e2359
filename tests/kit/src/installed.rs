//! Programs that `tests/run` installs.

use std::path::PathBuf;

/// A program that `tests/run` has installed in cargo's target folder; this test was built in there too.
///
/// # Panics
///
/// If it is missing.
pub fn installed(program: &str) -> PathBuf {
    let test = std::env::current_exe().expect("a running test has a path");
    let mut folders = test.ancestors().map(|folder| folder.join("python-clients").join(program));
    let found = folders.find(|path| path.exists());
    found.unwrap_or_else(|| panic!("python-clients/{program} is missing: run tests/run"))
}

/// A file of a package of `requirements.txt`: a server, say.
///
/// # Panics
///
/// If it is not installed.
pub fn packaged(file: &str) -> PathBuf {
    let test = std::env::current_exe().expect("a test is a file");
    let mut folders = test.ancestors().filter_map(|folder| {
        let versions = std::fs::read_dir(folder.join("python-clients/lib")).ok()?;
        let files = versions.flatten().map(|v| v.path().join("site-packages").join(file));
        files.filter(|file| file.exists()).last()
    });
    folders.next().unwrap_or_else(|| panic!("{file} is missing: run tests/run"))
}

/// The Python that has the packages of `requirements.txt`.
///
/// # Panics
///
/// If there is none.
pub fn python() -> PathBuf {
    installed("bin/python")
}

/// Node, as new as the packages of `package.json` ask for.
///
/// # Panics
///
/// If there is none.
pub fn node() -> PathBuf {
    installed("node/bin/node")
}
