//! The test that all four must pass.

sse_conformance::notifications_tests!("CARGO_BIN_EXE_notifications-warp");
