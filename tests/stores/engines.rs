//! Turns requirements into tests: one for each requirement and engine.

use std::future::Future;

/// Stamps out the tests of one engine from the names of requirements, by module.
macro_rules! requirements {
    ($engine:ident: $($module:ident::{$($requirement:ident),+ $(,)?})*) => {$(
        mod $module {
            $(
                #[test]
                fn $requirement() {
                    crate::engines::run(async {
                        let engine = ::sse_conformance::engines::$engine::start().await;
                        ::sse_conformance::suite::store::$module::$requirement(&engine).await;
                    });
                }
            )+
        }
    )*};
}
pub(crate) use requirements;

/// Runs a requirement on two threads, so that nothing is in order only because one thing happens at a time.
pub(crate) fn run(requirement: impl Future<Output = ()>) {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("threads and a poller")
        .block_on(requirement);
}
