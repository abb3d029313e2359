//! The sources of the core.

use std::collections::HashMap;
use std::path::Path;

use crate::blocks::root;

/// The texts of the files by their names, `log/tail` for example, without `lib` and the files of unit tests.
pub(crate) fn core_sources() -> HashMap<String, String> {
    let folder = root().join("crates/sse-core/src");
    let mut found = HashMap::new();
    collect(&folder, &folder, &mut found);
    found
}

fn collect(folder: &Path, within: &Path, found: &mut HashMap<String, String>) {
    for entry in std::fs::read_dir(within).expect("a folder") {
        let path = entry.expect("a file").path();
        if path.is_dir() {
            collect(folder, &path, found);
            continue;
        }
        if path.extension().is_none_or(|extension| extension != "rs") {
            continue;
        }
        let name = path.strip_prefix(folder).expect("within").with_extension("");
        let name = name.to_str().expect("UTF-8").to_owned();
        if name != "lib" && !name.ends_with("/tests") {
            found.insert(name, std::fs::read_to_string(&path).expect("a text"));
        }
    }
}

/// The text of a file up to its unit tests.
pub(crate) fn without_tests(source: &str) -> &str {
    source.split("#[cfg(test)]\nmod tests").next().unwrap_or_default()
}
