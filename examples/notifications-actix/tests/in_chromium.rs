//! The test that all four must pass.

sse_test_kit::notifications_tests!("CARGO_BIN_EXE_notifications-actix");
