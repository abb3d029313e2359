//! Every requirement and every framework: a test.

mod decode_vectors;
mod parser;
mod proxy;
mod wire;
mod wire_h2;
