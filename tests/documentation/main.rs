//! What the README, the docs and the examples say is so: their programs are built and run, and so are their commands.

mod arrows;
mod blocks;
mod checkout;
mod commands;
mod core_sources;
mod crates;
mod examples_of_items;
mod getting_started;
mod hellos;
mod links;
mod picture;
mod program;
mod reopen;
mod reset;
