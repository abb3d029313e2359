//! How each framework serves the app: the same few lines in each file.

use crate::suite::framework::Framework;

pub mod actix;
pub mod axum;
pub mod rocket;
pub mod warp;

/// axum.
pub const AXUM: Framework = Framework { name: "axum", serve: axum::serve };

/// actix-web.
pub const ACTIX: Framework = Framework { name: "actix-web", serve: actix::serve };

/// warp.
pub const WARP: Framework = Framework { name: "warp", serve: warp::serve };

/// Rocket.
pub const ROCKET: Framework = Framework { name: "Rocket", serve: rocket::serve };
