//! The checks of every input. The ordinary tests run them on the corpus.

pub mod encode;
pub mod stream_request;

#[path = "../../tests/suite/parser.rs"]
pub mod parser;
#[path = "../../tests/suite/rules.rs"]
pub mod rules;
