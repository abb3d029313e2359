//! Makes of each Markdown page one whose blocks rustdoc can compile.

use std::path::{Path, PathBuf};
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize()?;
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo says where"));
    let mut pages = vec![root.join("README.md")];
    for folder in ["crates", "docs", "examples"] {
        println!("cargo::rerun-if-changed={}", root.join(folder).display());
        find(&root.join(folder), &mut pages)?;
    }
    pages.sort();
    println!("cargo::rerun-if-changed={}", root.join("README.md").display());

    let mut modules = String::new();
    for page in pages {
        let path = page.strip_prefix(&root).expect("it was found there").with_extension("");
        let path = path.display().to_string().to_lowercase();
        let name = path.replace(|c: char| !c.is_alphanumeric(), "_");
        let file = out.join(&name).with_extension("md");
        fs::write(&file, whole(&fs::read_to_string(&page)?, &path))?;
        modules += &format!("#[doc = include_str!({file:?})] mod {name} {{}}\n");
    }
    fs::write(out.join("pages.rs"), modules)
}

fn find(folder: &Path, pages: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            find(&path, pages)?;
        } else if path.extension().is_some_and(|extension| extension == "md") {
            pages.push(path);
        }
    }
    Ok(())
}

/// The page with what stands around its blocks in them, as lines that rustdoc hides.
fn whole(page: &str, name: &str) -> String {
    let (mut made, mut before, mut after) = (String::new(), String::new(), String::new());
    let (mut is_rust, mut lines) = (false, page.lines());
    while let Some(line) = lines.next() {
        if line == "<!-- around:" {
            let mut part = &mut before;
            for line in lines.by_ref().take_while(|line| *line != "-->") {
                match line {
                    "..." => part = &mut after,
                    line => *part += &format!("# {line}\n"),
                }
            }
            continue;
        }
        if is_rust && line == "```" {
            made += &std::mem::take(&mut after);
            is_rust = false;
        }
        assert!(!is_rust || !line.starts_with("# "), "{name} shows a hidden line: {line}");
        made += &format!("{line}\n");
        if line.starts_with("```rust") {
            made += &std::mem::take(&mut before);
            is_rust = true;
        }
    }
    assert!(before.is_empty() && after.is_empty(), "{name}: no block of Rust follows");
    made
}
