//! Every requirement and every proxy: a test. How a proxy is run is in `tests/kit`, with the configuration of `docs/proxies`.

mod compression;
mod cuts;
mod events;
mod leaving;
mod restarts;
mod site;
mod streams;
mod timeouts;

/// Stamps out the tests of one proxy from the names of requirements, by module.
macro_rules! requirements {
    ($proxy:ident: $($module:ident::{$($requirement:ident),+ $(,)?})*) => {$($(
        #[test]
        fn $requirement() {
            crate::run(crate::$module::$requirement(&::sse_test_kit::reverse_proxies::$proxy));
        }
    )+)*};
}

/// The requirements of every proxy.
macro_rules! every_proxy {
    ($proxy:ident) => {
        requirements! {
            $proxy:
            events::{
                passes_on_the_first_event_within_100_ms,
                passes_on_each_event_within_100_ms,
                shows_the_application_who_comes_back,
            }
            leaving::{
                lets_the_server_know_of_a_client_that_closes,
                lets_the_server_know_of_a_client_that_crashes,
            }
            restarts::{
                resumes_through_its_restart,
                resumes_through_a_restart_of_the_application,
                brings_chromium_back_through_a_restart_of_the_application,
                never_says_of_a_message_that_is_lost_that_it_was_taken,
            }
            timeouts::{
                keeps_a_stream_that_is_kept_alive,
            }
            compression::{
                compresses_a_page_and_holds_no_event_back,
            }
            streams::{
                speaks_http_2,
                gives_chromium_ten_streams_over_http_2,
                gives_chromium_six_streams_over_http_1_1,
            }
        }
    };
}

mod nginx {
    every_proxy!(NGINX);
}

mod haproxy {
    every_proxy!(HAPROXY);
}

mod caddy {
    every_proxy!(CADDY);
}

/// Runs a requirement on two threads, so that the test is no slower than its server.
fn run(requirement: impl Future<Output = ()>) {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("threads and a poller")
        .block_on(requirement);
}
