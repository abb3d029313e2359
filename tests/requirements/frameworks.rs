//! Turns requirements into tests: one for each requirement and framework.

use std::future::Future;

/// Stamps out the tests of one framework from the names of requirements, by module. Each gets what is in the brackets, an attribute.
macro_rules! requirements {
    ($attribute:tt $framework:ident: $($module:ident::{$($requirement:ident),+ $(,)?})*) => {$($(
        crate::frameworks::requirement! { $attribute $framework $module $requirement }
    )+)*};
    ($framework:ident: $($requirements:tt)*) => {
        crate::frameworks::requirements! { [] $framework: $($requirements)* }
    };
}
pub(crate) use requirements;

macro_rules! requirement {
    ([$($attribute:meta)?] $framework:ident $module:ident $requirement:ident) => {
        #[test]
        $(#[$attribute])?
        fn $requirement() {
            let framework = &::sse_conformance::adapters::$framework;
            crate::frameworks::run(crate::$module::$requirement(framework));
        }
    };
}
pub(crate) use requirement;

/// Runs a requirement on two threads, so that the test is no slower than its server.
pub(crate) fn run(requirement: impl Future<Output = ()>) {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("threads and a poller")
        .block_on(requirement);
}
