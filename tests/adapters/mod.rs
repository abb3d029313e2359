//! The frameworks that are held to the requirements, in one list, and how each serves the app: the same few lines in each file.
//!
//! docs/writing-an-adapter.md says how to add one.

use std::time::Duration;

use crate::suite::framework::{Framework, Notice};

pub mod actix;
pub mod axum;
pub mod hyper;
pub mod poem;
pub mod rocket;
pub mod salvo;
pub mod warp;

/// Calls a macro for each framework, with the name of its module, its constant, and what it does that not all do:
///
/// - `shows_raw_headers`: an application sees a header that is not UTF-8;
/// - `compresses`: it has a compression of its own that can be on;
/// - `cancels_handlers`: it drops a handler when its client leaves;
/// - `cuts_off_stalled_clients`: its sockets can be told to give up on a client that takes nothing;
/// - `breaks_off_over_http_1` or `ends_failed_responses_over_http_1`: what becomes of a response whose body fails, and the same of HTTP/2;
/// - `writes_without_copies` or `copies_what_it_writes`: whether it has buffers of its own for what it sends.
///
/// In the brackets is an attribute for the tests that are too long to run for each framework each time.
#[macro_export]
macro_rules! for_each_framework {
    ($each:ident) => {
        $each! { [] axum AXUM: shows_raw_headers compresses cancels_handlers cuts_off_stalled_clients breaks_off_over_http_1 breaks_off_over_http_2 writes_without_copies }
        $each! { [] actix ACTIX: shows_raw_headers compresses cancels_handlers cuts_off_stalled_clients breaks_off_over_http_1 breaks_off_over_http_2 copies_what_it_writes }
        $each! { [] warp WARP: shows_raw_headers cancels_handlers cuts_off_stalled_clients breaks_off_over_http_1 breaks_off_over_http_2 writes_without_copies }
        $each! { [] rocket ROCKET: ends_failed_responses_over_http_1 ends_failed_responses_over_http_2 copies_what_it_writes }
        $each! { [] hyper HYPER: shows_raw_headers cancels_handlers cuts_off_stalled_clients breaks_off_over_http_1 breaks_off_over_http_2 writes_without_copies }
        $each! { [ignore = "by name: docs/contributing.md"] salvo SALVO: shows_raw_headers cancels_handlers cuts_off_stalled_clients breaks_off_over_http_1 breaks_off_over_http_2 writes_without_copies }
        $each! { [ignore = "by name: docs/contributing.md"] poem POEM: shows_raw_headers cuts_off_stalled_clients ends_failed_responses_over_http_1 breaks_off_over_http_2 writes_without_copies }
    };
}

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
    hello_lines: 14,
};

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

/// Rocket. It hands no error of a body on to its client, notices by writing, and its shutdown may take a second: the time that it gives responses to end.
pub const ROCKET: Framework = Framework {
    name: "rocket",
    serve: rocket::serve,
    closes: Notice::BY_WRITING,
    crashes: Notice::BY_WRITING,
    leaves_http2: Notice::BY_WRITING,
    ends: Duration::from_secs(2),
    ends_http2: Duration::from_secs(2),
    hello_lines: 16,
    ..AXUM
};

/// hyper, by `sse-http`. It has no routes, and no loop that accepts connections.
pub const HYPER: Framework =
    Framework { name: "hyper", serve: hyper::serve, hello_lines: 37, ..AXUM };

/// salvo, by `sse-http`, which does not know its request and its response.
pub const SALVO: Framework =
    Framework { name: "salvo", serve: salvo::serve, hello_lines: 28, ..AXUM };

/// poem, by `sse-http`, which does not know its request and its response. Its server polls an HTTP/1.1 connection again that has failed: it notices by writing that a client has closed
/// it, and ends a response that is to be broken off as one that is whole.
pub const POEM: Framework = Framework {
    name: "poem",
    serve: poem::serve,
    closes: Notice::BY_WRITING,
    hello_lines: 28,
    ..AXUM
};

/// Returns every framework of the list.
pub fn all() -> Vec<Framework> {
    let mut all = Vec::new();
    macro_rules! push {
        ($attribute:tt $module:ident $framework:ident: $($does:ident)*) => {
            all.push($framework);
        };
    }
    for_each_framework!(push);
    all
}

/// Returns the framework of this name.
///
/// # Errors
///
/// The names of all, if there is none of this name.
pub fn named(name: &str) -> Result<Framework, String> {
    let all = all();
    let names: Vec<_> = all.iter().map(|framework| framework.name).collect();
    let unknown = format!("one of {}", names.join(", "));
    all.into_iter().find(|framework| framework.name == name).ok_or(unknown)
}
