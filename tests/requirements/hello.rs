//! The hello-worlds beside one another, and what else the docs show.

use sse_conformance::reverse_proxies::{CADDY, HAPROXY, NGINX};

/// The names and the programs.
fn hellos() -> Vec<(&'static str, &'static str)> {
    let mut hellos = Vec::new();
    macro_rules! hello {
        ($long:tt $framework:ident $constant:ident: $($does:ident)*) => {
            let source = include_str!(concat!(
                "../../examples/hello-",
                stringify!($framework),
                "/src/main.rs"
            ));
            hellos.push((stringify!($framework), source));
        };
    }
    sse_conformance::for_each_framework!(hello);
    hellos
}

#[test]
fn a_hello_world_has_at_most_fourteen_lines() {
    for (name, source) in hellos() {
        let most = match name {
            "axum" | "actix" | "warp" | "rocket" => 14,
            // It has no routes, and no loop that accepts connections.
            "hyper" => 37,
            // `sse-http` does not know its request and its response.
            _ => 28,
        };
        let lines = source.lines().filter(|line| !line.trim().is_empty()).count();
        assert!(lines <= most, "hello-{name} has {lines}");
    }
}

#[test]
fn the_handler_is_the_same_three_lines_in_every_hello_world() {
    for (name, source) in hellos() {
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
