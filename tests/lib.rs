//! What an adapter must do, and who is held to it.
#![forbid(unsafe_code)]

pub mod adapters;
pub mod browsers;
pub mod clients;
pub mod cookbook;
pub mod proxies;
pub mod stores;
pub mod suite;

/// Every code block of the README, of the docs and of the recipes is a test.
#[cfg(doctest)]
mod docs {
    #[doc = include_str!("../README.md")]
    mod readme {}
    #[doc = include_str!("../docs/architecture.md")]
    mod architecture {}
    #[doc = include_str!("../docs/authentication.md")]
    mod authentication {}
    #[doc = include_str!("../docs/choosing-a-store.md")]
    mod choosing_a_store {}
    #[doc = include_str!("../docs/comparison.md")]
    mod comparison {}
    #[doc = include_str!("../docs/contributing.md")]
    mod contributing {}
    #[doc = include_str!("../docs/cors.md")]
    mod cors {}
    #[doc = include_str!("../docs/decisions.md")]
    mod decisions {}
    #[doc = include_str!("../docs/deploying.md")]
    mod deploying {}
    #[doc = include_str!("../docs/from-http-event-stream.md")]
    mod from_http_event_stream {}
    #[doc = include_str!("../docs/getting-started.md")]
    mod getting_started {}
    #[doc = include_str!("../docs/http2.md")]
    mod http2 {}
    #[doc = include_str!("../docs/README.md")]
    mod index {}
    #[doc = include_str!("../docs/replay.md")]
    mod replay {}
    #[doc = include_str!("../docs/scaling-out.md")]
    mod scaling_out {}
    #[doc = include_str!("../docs/style.md")]
    mod style {}
    #[doc = include_str!("../docs/troubleshooting.md")]
    mod troubleshooting {}
    #[doc = include_str!("../docs/wire-format.md")]
    mod wire_format {}
    #[doc = include_str!("../docs/writing-a-store.md")]
    mod writing_a_store {}
    #[doc = include_str!("../docs/writing-an-adapter.md")]
    mod writing_an_adapter {}
    #[doc = include_str!("../examples/progress/README.md")]
    mod progress {}
    #[doc = include_str!("../examples/chat/README.md")]
    mod chat {}
    #[doc = include_str!("../examples/tokens/README.md")]
    mod tokens {}
    #[doc = include_str!("../examples/dashboard/README.md")]
    mod dashboard {}
    #[doc = include_str!("../examples/merged/README.md")]
    mod merged {}
    #[doc = include_str!("../examples/htmx/README.md")]
    mod htmx {}
    #[doc = include_str!("../examples/cors/README.md")]
    mod cors_recipe {}
    #[doc = include_str!("../examples/notifications/README.md")]
    mod notifications {}
    #[doc = include_str!("../examples/README.md")]
    mod examples {}
}
