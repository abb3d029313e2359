//! Encoding an event, beside what cannot be left out: looking for line ends, and copying.
//!
//! `cargo bench -p sse-gates --bench encoding`
#![allow(missing_docs, reason = "criterion's macros write functions without")]

use std::hint::black_box;
use std::time::Duration;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use memchr::memchr2_iter;
use sse_core::{Event, EventId, Frame};

fn encoding(criterion: &mut Criterion) {
    let lines = |size: usize, lines: usize| "x".repeat(size / lines - 1) + "\n";
    let events = [
        ("128 B", "x".repeat(128)),
        ("1 KiB", "x".repeat(1024)),
        ("64 KiB, 1000 lines", lines(65_536, 1000).repeat(1000)),
        ("1 MiB", "x".repeat(1 << 20)),
    ];
    for (name, data) in events {
        let mut group = criterion.benchmark_group(name);
        group.measurement_time(Duration::from_secs(2)).warm_up_time(Duration::from_millis(500));
        group.throughput(Throughput::Bytes(data.len() as u64));
        let event = Event::new(data.clone()).id(EventId::from(7));
        group.bench_function("ours", |bencher| bencher.iter(|| Frame::from(black_box(&event))));
        group.bench_function("limit", |bencher| bencher.iter(|| limit(black_box(data.as_bytes()))));
        group.finish();
    }
}

/// Finds each line end, and copies each line once, into what it has asked for once.
fn limit(data: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(data.len() + data.len() / 8 + 64);
    let mut begin = 0;
    for end in memchr2_iter(b'\r', b'\n', data) {
        out.extend_from_slice(b"data: ");
        out.extend_from_slice(&data[begin..=end]);
        begin = end + 1;
    }
    out.extend_from_slice(b"data: ");
    out.extend_from_slice(&data[begin..]);
    out.extend_from_slice(b"\nid: 7\n\n");
    out
}

criterion_group!(benches, encoding);
criterion_main!(benches);
