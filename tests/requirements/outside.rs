//! A response that a handler makes where no runtime is: in a test that is not async, or in a thread of its own.

use sse_core::{EventLog, Start, StreamRequest};

/// A test for each adapter.
macro_rules! adapters {
    ($($name:ident: $adapter:ident),+ $(,)?) => {$(
        #[test]
        fn $name() {
            let log = EventLog::in_memory(10);
            log.append_now("hello").expect("in memory");
            let request = $adapter::SseRequest(StreamRequest::new("GET", None, []));
            let feed = log.feed().start_at(Start::Oldest).no_retry();
            let response = $adapter::stream_events(request, feed).0;
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            let text = runtime.expect("a runtime").block_on(response.text());
            assert!(text.contains("data: hello\n"), "{text}");
        }
    )+};
}

adapters! {
    axum_makes_a_response_outside_of_a_runtime: sse_axum,
    actix_web_makes_a_response_outside_of_a_runtime: sse_actix,
    warp_makes_a_response_outside_of_a_runtime: sse_warp,
    rocket_makes_a_response_outside_of_a_runtime: sse_rocket,
    hyper_makes_a_response_outside_of_a_runtime: sse_http,
}
