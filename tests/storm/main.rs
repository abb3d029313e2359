//! Many clients on a bad network, while events come fast: nothing is lost, repeated or out of order.

mod client;
#[path = "../requirements/frameworks.rs"]
mod frameworks;
mod log;
mod publisher;
mod slow;
mod source;
mod stores;
mod storm;
mod topics;

macro_rules! every_networked_store {
    ($engine:ident) => {
        crate::every_networked_store! { $engine: axum_and_actix warp_and_rocket }
    };
    ($engine:ident: $($pair:ident)+) => {$(
        #[test]
        fn $pair() {
            crate::frameworks::run(async {
                let engine = ::sse_conformance::engines::$engine::start().await;
                crate::stores::storm(&engine, stringify!($pair)).await;
            });
        }
    )+};
}
use every_networked_store;

mod nats {
    crate::every_networked_store!(Nats);
}

mod postgres {
    crate::every_networked_store!(Postgres);
}

mod redis {
    crate::every_networked_store!(Redis);
}

macro_rules! storms_of_topics {
    ($($store:ident $engine:ident $storm:ident)*) => {$(
        #[test]
        fn $store() {
            crate::frameworks::run(async {
                let engine = ::sse_conformance::engines::$engine::start().await;
                crate::topics::$storm(&engine).await;
            });
        }
    )*};
}

/// The storm of topics over each store.
mod of_topics {
    storms_of_topics! {
        redb Redb storm_in_a_process
        nats Nats storm_over
        postgres Postgres storm_over
        redis Redis storm_over
    }
}

macro_rules! storms {
    ($long:tt $module:ident $framework:ident: $($does:ident)*) => {
        mod $module {
            crate::frameworks::requirements! {
                $long $framework:
                log::{
                    gets_every_event_of_a_log_once_and_in_order_through_a_reconnect_storm,
                }
                slow::{
                    gets_every_event_of_a_store_once_and_in_order_at_very_different_speeds,
                }
                topics::{
                    gets_the_events_of_its_topics_once_and_in_order_whatever_it_asks_for_next,
                }
                source::{
                    gets_every_event_of_a_source_once_and_in_order_through_a_reconnect_storm,
                }
            }
        }
    };
}
sse_conformance::for_each_framework!(storms);
