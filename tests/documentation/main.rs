//! The README, the docs and the examples are true: their programs are built and run, and so are their commands.

mod arrows;
mod blocks;
mod calls;
mod checkout;
mod commands;
mod core_sources;
mod crates;
mod examples_of_items;
mod first_page;
mod getting_started;
mod guesses;
mod hellos;
mod language;
mod links;
mod picture;
mod program;
mod reopen;
mod reset;
mod rust_versions;
