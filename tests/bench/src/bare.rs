//! NATS without a log: what creating streams takes.

use std::time::{Duration, Instant};

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

/// Creates so many streams over one connection, as a log creates its own, and waits for so many answers at a time.
///
/// # Panics
///
/// If the server does not answer, or refuses one.
pub async fn create_streams(server: &str, streams: usize, at_a_time: usize) -> Duration {
    let line = TcpStream::connect(server).await.expect("the server listens");
    line.set_nodelay(true).expect("a connection");
    let (from, mut to) = line.into_split();
    let mut from = BufReader::new(from);
    to.write_all(b"CONNECT {\"verbose\":false}\r\nSUB answer 1\r\n").await.expect("it takes it");
    let (begun, mut asked, process) = (Instant::now(), 0, std::process::id());
    for answered in 0..streams {
        while asked < streams.min(answered + at_a_time) {
            let name = format!("BARE-{process}-{asked}");
            let config = format!(
                "{{\"name\":\"{name}\",\"subjects\":[\"bare.{name}.>\"],\"retention\":\"limits\",\"discard\":\"old\",\
                 \"storage\":\"file\",\"num_replicas\":1,\"max_msgs_per_subject\":-1,\"allow_rollup_hdrs\":true}}"
            );
            let size = config.len();
            let question =
                format!("PUB $JS.API.STREAM.CREATE.{name} answer {size}\r\n{config}\r\n");
            to.write_all(question.as_bytes()).await.expect("it takes it");
            asked += 1;
        }
        let answer = answer(&mut from).await;
        assert!(!answer.contains("\"error\""), "{answer}");
    }
    begun.elapsed()
}

/// The next message.
async fn answer(from: &mut (impl AsyncBufReadExt + Unpin)) -> String {
    loop {
        let mut line = String::new();
        let read = from.read_line(&mut line).await.expect("it answers");
        assert!(read > 0, "the server has ended");
        if line.starts_with("MSG ") {
            let size = line.split_whitespace().last().and_then(|size| size.parse::<usize>().ok());
            let mut answer = vec![0; size.expect("a size") + 2];
            from.read_exact(&mut answer).await.expect("all of it comes");
            return String::from_utf8_lossy(&answer).into_owned();
        }
    }
}
