//! How each framework serves the app: the same few lines in each file.

pub mod actix;
pub mod axum;
pub mod rocket;
pub mod warp;
