//! What all four are held to.

use sse_conformance::cookbook::notifications;

const PROGRAM: &str = env!("CARGO_BIN_EXE_notifications-warp");

#[tokio::test(flavor = "multi_thread")]
async fn a_user_sees_what_is_theirs_and_resumes_it_after_a_cut() {
    notifications::a_user_sees_what_is_theirs_and_resumes_it_after_a_cut(PROGRAM).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_sees_or_resumes_what_is_anothers() {
    notifications::nobody_sees_or_resumes_what_is_anothers(PROGRAM).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn access_that_is_revoked_ends_the_stream() {
    notifications::access_that_is_revoked_ends_the_stream(PROGRAM).await;
}
