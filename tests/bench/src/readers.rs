//! Many clients at once.

use std::net::SocketAddr;

use futures_util::{StreamExt, stream};
use sse_test_kit::wire::{Request, Response};

/// The number of readers that connect at the same time.
const AT_ONCE: usize = 100;

/// Sends each request over a connection of its own, and waits for the heads of all responses.
///
/// # Panics
///
/// If one is not answered by 200.
pub async fn open(
    address: SocketAddr,
    requests: impl IntoIterator<Item = Request>,
) -> Vec<Response> {
    let open = async |request: Request| {
        let response = request.send(address).await;
        assert_eq!(response.status, 200);
        response
    };
    stream::iter(requests).map(open).buffer_unordered(AT_ONCE).collect().await
}

/// The same of a client whose system receives little ahead of it, so that not reading soon blocks the server.
pub fn stuck(request: Request) -> Request {
    request.receive_buffer(4096).segment(1460) // an Ethernet's
}

/// Numbers from 0 to 1 in strides by the golden ratio: evenly spread, and neighbours are far from one another.
pub fn spread(number: usize) -> f64 {
    (number as f64 * 0.618_033_988_749_895).fract()
}
