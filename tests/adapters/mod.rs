//! How each framework serves the app: the same few lines in each file.

use std::time::Duration;

use crate::suite::framework::{Framework, Notice};

pub mod actix;
pub mod axum;
pub mod hyper;
pub mod rocket;
pub mod warp;

/// axum.
pub const AXUM: Framework = Framework {
    name: "axum",
    serve: axum::serve,
    closes: Notice::AT_ONCE,
    crashes: Notice::AT_ONCE,
    leaves_http2: Notice::AT_ONCE,
    ends: Duration::from_secs(1),
    ends_http2: Duration::from_secs(1),
    ends_stalled: Duration::from_secs(2),
};

/// hyper, by `sse-http`.
pub const HYPER: Framework = Framework { name: "hyper", serve: hyper::serve, ..AXUM };

/// actix-web. Over HTTP/2 it notices by writing, and closes connections no sooner than the grace is over.
pub const ACTIX: Framework = Framework {
    name: "actix",
    serve: actix::serve,
    leaves_http2: Notice::BY_WRITING,
    ends_http2: Duration::from_secs(2),
    ..AXUM
};

/// warp.
pub const WARP: Framework = Framework { name: "warp", serve: warp::serve, ..AXUM };

/// Rocket. It notices by writing, and its shutdown may take a second: the time that it gives responses to end.
pub const ROCKET: Framework = Framework {
    name: "rocket",
    serve: rocket::serve,
    closes: Notice::BY_WRITING,
    crashes: Notice::BY_WRITING,
    leaves_http2: Notice::BY_WRITING,
    ends: Duration::from_secs(2),
    ends_http2: Duration::from_secs(2),
    ends_stalled: Duration::from_secs(3),
};
