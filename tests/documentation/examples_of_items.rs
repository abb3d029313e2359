//! Every public item of the core has an example that asserts something. Those without one are listed here, each with its reason.

use crate::core_sources::{core_sources, without_tests};

/// The most items without an example.
const AT_MOST: usize = 25;

const OF_OBSERVER: &str =
    "a method with a default that does nothing; the example of the trait has one of each kind";
const OF_SOURCE: &str = "the example of the trait is an implementation";
const OF_STORE: &str = "an application does not call it; docs/writing-a-store.md is an implementation, with its reasons";

const WITHOUT: &[(&str, &str)] = &[
    (
        "$options::$name",
        "a setter for each field, by one macro; the examples of the options set some",
    ),
    ("Error::is_no_randomness", "a system without randomness cannot be made in an example"),
    ("Observer::append_took", OF_OBSERVER),
    ("Observer::appended", OF_OBSERVER),
    ("Observer::behind", OF_OBSERVER),
    ("Observer::caught_up", OF_OBSERVER),
    ("Observer::delivered", OF_OBSERVER),
    ("Observer::ended", OF_OBSERVER),
    ("Observer::follower", OF_OBSERVER),
    ("Observer::live", OF_OBSERVER),
    ("Observer::opened", OF_OBSERVER),
    ("Observer::retained", OF_OBSERVER),
    ("Observer::store_back", OF_OBSERVER),
    ("Observer::store_lost", OF_OBSERVER),
    ("Source::fetch", OF_SOURCE),
    ("Source::stream", OF_SOURCE),
    ("Store::append", OF_STORE),
    ("Store::finish", OF_STORE),
    ("Store::follow", "the example of `Pages` follows a store"),
    ("Store::largest_position", OF_STORE),
    ("Store::name", OF_STORE),
    ("Store::read", "the example of `Page` reads one"),
    ("Store::retain", OF_STORE),
    ("Store::shows_at_once", OF_STORE),
];

/// A public item, method or method of a trait, and whether an example of it asserts something.
struct Item {
    name: String,
    has_example: bool,
}

/// The items of a file. `pub` alone means that users see it: rustc's lint `unreachable_pub` is on.
fn items(source: &str) -> Vec<Item> {
    let mut items = Vec::new();
    let (mut docs, mut owners) = (String::new(), Vec::<Owner>::new());
    let mut attribute: Option<usize> = None;
    for line in without_tests(source).lines() {
        let (text, indent) = (line.trim(), line.len() - line.trim_start().len());
        if let Some(of) = attribute {
            attribute = (indent > of).then_some(of);
        } else if let Some(doc) = text.strip_prefix("///") {
            docs = docs + doc + "\n";
        } else if text.starts_with("#[") {
            // One that goes on in the next line ends where it began.
            attribute = (!text.ends_with(']')).then_some(indent);
        } else if !text.starts_with("//") {
            if owners.last().is_some_and(|owner| indent <= owner.indent && text.starts_with('}')) {
                owners.pop();
            }
            let owner = owners.last().filter(|owner| owner.indent < indent);
            // A function within a method is no method.
            let is_in_a_trait =
                owner.is_some_and(|owner| owner.is_trait && indent == owner.indent + 4);
            if let Some(name) = name_of(text, is_in_a_trait) {
                let name = owner.map_or(name.to_owned(), |owner| format!("{}::{name}", owner.name));
                items.push(Item { name, has_example: asserts(&docs) });
            }
            owners.extend(Owner::of(text, indent));
            docs.clear();
        }
    }
    items
}

/// A block whose functions are methods.
struct Owner {
    name: String,
    indent: usize,
    is_trait: bool,
}

impl Owner {
    fn of(text: &str, indent: usize) -> Option<Self> {
        let is_trait = text.starts_with("pub trait ");
        let header = text.strip_prefix("pub trait ").or_else(|| text.strip_prefix("impl"))?;
        if text.ends_with('}') {
            return None;
        }
        let generics = header.starts_with('<').then(|| header.find("> ")).flatten();
        let name = header[generics.map_or(0, |end| end + 1)..].trim_start();
        let end = name.find([' ', ':', '<', '{']).unwrap_or(name.len());
        Some(Self { name: name[..end].to_owned(), indent, is_trait })
    }
}

/// The name of the item that this line begins, if users see it.
fn name_of(text: &str, is_in_a_trait: bool) -> Option<&str> {
    let is_public = text.starts_with("pub ");
    let mut words = text.strip_prefix("pub ").unwrap_or(text).split_whitespace().peekable();
    while words.next_if(|word| ["async", "unsafe"].contains(word)).is_some() {}
    let mut kind = words.next()?;
    if kind == "const" && words.peek() == Some(&"fn") {
        kind = words.next()?;
    }
    let kinds = ["struct", "enum", "union", "trait", "fn", "const", "static", "type"];
    let is_item = kinds.contains(&kind) && (is_public || (is_in_a_trait && kind != "struct"));
    let name = words.next().filter(|_| is_item)?;
    let end = name.find(|c: char| !(c.is_alphanumeric() || c == '_' || c == '$'));
    Some(&name[..end.unwrap_or(name.len())])
}

/// True if a block of Rust in these docs has an assert.
fn asserts(docs: &str) -> bool {
    let blocks = docs.split("```").skip(1).step_by(2);
    blocks.filter(|block| !block.starts_with("text")).any(|block| block.contains("assert"))
}

#[test]
fn every_public_item_of_the_core_has_an_example_that_asserts_something() {
    let all: Vec<Item> = core_sources().values().flat_map(|source| items(source)).collect();
    assert!(all.len() > 200, "the sources were read: {} items", all.len());
    let listed = |name: &str| WITHOUT.iter().any(|(of, _)| *of == name);
    let mut wrong: Vec<String> = Vec::new();
    for item in &all {
        match (item.has_example, listed(&item.name)) {
            (false, false) => wrong.push(format!("{} has no example with an assert", item.name)),
            (true, true) => wrong.push(format!("{} has one, and is listed", item.name)),
            _ => {}
        }
    }
    for (name, _) in WITHOUT.iter().filter(|(name, _)| all.iter().all(|item| item.name != *name)) {
        wrong.push(format!("{name} is listed, and is no item"));
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(WITHOUT.len() <= AT_MOST, "{} items without an example", WITHOUT.len());
}

#[test]
fn items_methods_and_methods_of_traits_are_seen() {
    const SOURCE: &str = "
/// ```
/// assert!(true);
/// ```
#[derive(
    Debug,
)]
pub struct A<T>(T);

impl<T> A<T> {
    /// None.
    pub const fn one(&self) {}

    pub(crate) fn hidden(&self) {}

    /// ```
    /// one();
    /// ```
    #[doc = include_str!(\"x\")]
    pub async fn two(&self) {
        fn inner() {}
    }
}

impl Display for A<u8> {
    fn fmt(&self) {}
}

pub trait B: Send {
    /// None.
    async fn three(&self) {
        fn inner() {}
    }
}

/// None.
pub const C: u8 = 1;
";
    let seen: Vec<_> =
        items(SOURCE).into_iter().map(|item| (item.name, item.has_example)).collect();
    let expected = [
        ("A", true),
        ("A::one", false),
        ("A::two", false),
        ("B", false),
        ("B::three", false),
        ("C", false),
    ];
    assert_eq!(seen, expected.map(|(name, has)| (name.to_owned(), has)));
}
