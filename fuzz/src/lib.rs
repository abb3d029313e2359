//! The checks of every input. The ordinary tests run them on the corpus.

pub mod encode;
pub mod stream_request;

#[path = "../../tests/kit/src/parser.rs"]
pub mod parser;
#[path = "../../tests/kit/src/rules.rs"]
pub mod rules;
