//! The hello-worlds beside one another, and what else the docs show.

use sse_conformance::suite::framework::Framework;
use sse_test_kit::reverse_proxies::{CADDY, HAPROXY, NGINX};

/// The frameworks, and their programs.
fn hellos() -> Vec<(Framework, &'static str)> {
    let mut hellos = Vec::new();
    macro_rules! hello {
        ($long:tt $framework:ident $constant:ident: $($does:ident)*) => {
            let source = include_str!(concat!(
                "../../examples/hello-",
                stringify!($framework),
                "/src/main.rs"
            ));
            hellos.push((sse_conformance::adapters::$constant, source));
        };
    }
    sse_conformance::for_each_framework!(hello);
    hellos
}

#[test]
fn a_hello_world_has_as_few_lines_as_the_list_of_frameworks_says() {
    for (Framework { name, hello_lines, .. }, source) in hellos() {
        let lines = source.lines().filter(|line| !line.trim().is_empty()).count();
        assert!(lines <= hello_lines, "hello-{name} has {lines}");
    }
}

#[test]
fn the_handler_is_the_same_three_lines_in_every_hello_world() {
    for (Framework { name, .. }, source) in hellos() {
        let mut lines = source.lines().skip_while(|line| !line.contains("fn events("));
        let signature = lines.next().expect("it has a handler");
        assert!(signature.ends_with("request: SseRequest) -> Sse {"), "hello-{name}: {signature}");
        // After a gap it begins as a first visit does, so that an id that means nothing fetches no history.
        let body = "    stream_events(request, log.feed().on_gap(OnGap::StartOver))";
        assert_eq!(lines.next(), Some(body), "hello-{name}");
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
