//! What all four are held to.

sse_conformance::notifications_tests!("CARGO_BIN_EXE_notifications-rocket");
