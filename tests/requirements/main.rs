//! Every requirement and every framework: a test.

mod decode_vectors;
mod frameworks;
mod leaving;
mod parser;
mod proxy;
mod wire;
mod wire_h2;

/// What every framework is held to.
macro_rules! every_framework {
    ($framework:ident) => {
        crate::frameworks::requirements! {
            $framework:
            leaving::{
                frees_the_subscription_of_an_idle_client_that_leaves,
            }
        }
    };
}

mod axum {
    every_framework!(AXUM);
}

mod actix {
    every_framework!(ACTIX);
}

mod warp {
    every_framework!(WARP);
}

mod rocket {
    every_framework!(ROCKET);
}
