//! The four hello-worlds beside one another, and what else the docs show.

use sse_conformance::proxies::{CADDY, HAPROXY, NGINX};

const HELLOS: [(&str, &str); 4] = [
    ("axum", include_str!("../../examples/hello-axum/src/main.rs")),
    ("actix", include_str!("../../examples/hello-actix/src/main.rs")),
    ("warp", include_str!("../../examples/hello-warp/src/main.rs")),
    ("rocket", include_str!("../../examples/hello-rocket/src/main.rs")),
];

#[test]
fn a_hello_world_has_at_most_fourteen_lines() {
    for (name, source) in HELLOS {
        let lines = source.lines().filter(|line| !line.trim().is_empty()).count();
        assert!(lines <= 14, "hello-{name} has {lines}");
    }
}

#[test]
fn the_handler_is_the_same_three_lines_in_all_four() {
    for (name, source) in HELLOS {
        let mut lines = source.lines().skip_while(|line| !line.contains("fn events("));
        let signature = lines.next().expect("it has a handler");
        assert!(signature.ends_with("request: SseRequest) -> Sse {"), "hello-{name}: {signature}");
        let body = lines.next().expect("a handler has a body");
        assert!(body.starts_with("    stream_events(request, log"), "hello-{name}: {body}");
        assert_eq!(lines.next(), Some("}"), "hello-{name}");
        assert!(source.contains("let log = "), "hello-{name}");
        assert!(source.contains("hello::with_clock(EventLog::in_memory(1000))"), "hello-{name}");
    }
}

#[test]
fn the_docs_show_the_configurations_of_proxies_as_they_are() {
    let page = include_str!("../../docs/deploying.md");
    for proxy in [NGINX, HAPROXY, CADDY] {
        let block = format!("\n{}```\n", proxy.configuration);
        assert!(page.contains(&block), "docs/deploying.md has another one for {}", proxy.name);
    }
}
