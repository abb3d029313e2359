//! What a crate says about the oldest Rust that builds it holds for all that it is made of.

use std::collections::{HashMap, HashSet};
use std::env::consts::ARCH;

use serde_json::Value;

use crate::blocks::root;
use crate::checkout::cargo;

/// What cargo knows of the workspace, in the versions of `Cargo.lock`.
fn metadata() -> Value {
    let platform = format!("{ARCH}-unknown-linux-gnu"); // what others have besides need not be here
    let arguments = ["metadata", "--format-version=1", "--locked", "--filter-platform", &platform];
    let output = cargo(&root()).args(arguments).output().expect("cargo runs this test");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    serde_json::from_slice(&output.stdout).expect("JSON")
}

/// The packages, or what is resolved of each, by their ids.
fn by_id(list: &Value) -> HashMap<&str, &Value> {
    let list = list.as_array().expect("a list");
    list.iter().map(|each| (text(&each["id"]), each)).collect()
}

fn text(value: &Value) -> &str {
    value.as_str().expect("a text")
}

/// The ids of all that is built for a package, but for its tests.
fn built_for<'m>(id: &'m str, nodes: &HashMap<&str, &'m Value>) -> HashSet<&'m str> {
    let (mut built, mut next) = (HashSet::new(), vec![id]);
    while let Some(id) = next.pop() {
        for dependency in nodes[id]["deps"].as_array().expect("a list") {
            let kinds = dependency["dep_kinds"].as_array().expect("a list");
            let is_built = kinds.iter().any(|kind| kind["kind"] != "dev");
            if is_built && built.insert(text(&dependency["pkg"])) {
                next.push(text(&dependency["pkg"]));
            }
        }
    }
    built
}

/// The version of Rust that a package asks for, to be compared; that of one that asks for none is the lowest.
fn rust(package: &Value) -> Vec<u32> {
    let version = package["rust_version"].as_str().unwrap_or_default().split('.');
    let mut parts: Vec<_> = version.filter_map(|part| part.parse().ok()).collect();
    parts.resize(3, 0);
    parts
}

#[test]
fn no_crate_depends_on_one_that_asks_for_a_newer_rust() {
    let metadata = metadata();
    let (packages, nodes) = (by_id(&metadata["packages"]), by_id(&metadata["resolve"]["nodes"]));
    let members = metadata["workspace_members"].as_array().expect("a list").iter().map(text);
    // What may be published nowhere has an empty list of registries.
    let published = members.filter(|id| packages[id]["publish"].is_null());
    let (mut checked, mut newer) = (0, Vec::new());
    for id in published {
        let limit = rust(packages[id]);
        assert!(packages[id]["rust_version"].is_string(), "{id} says no version");
        for dependency in built_for(id, &nodes) {
            checked += 1;
            if rust(packages[dependency]) > limit {
                newer.push(format!("{id}: {dependency} asks for {:?}", rust(packages[dependency])));
            }
        }
    }
    assert!(newer.is_empty(), "{}", newer.join("\n"));
    let adapters_and_stores =
        std::fs::read_dir(root().join("crates")).expect("it is there").count();
    assert!(checked > 10 * adapters_and_stores, "only {checked} dependencies were found");
}
