//! What is asked of any input. The ordinary tests ask the same of the corpus.

pub mod encode;
pub mod stream_request;

#[path = "../../tests/suite/parser.rs"]
pub mod parser;
#[path = "../../tests/suite/rules.rs"]
pub mod rules;
