//! The page in a real browser.

use reqwest::{Client, Method};
use sse_test_kit::browser::Chromium;
use sse_test_kit::cookbook::is_fit_to_be_seen;
use sse_test_kit::lines::Line;
use sse_test_kit::program::Program;

const COMPLETE: &str = "numbers.every((number, i) => i === 0 || number === numbers[i - 1] + 1)";

async fn start() -> Program {
    Program::start_with(env!("CARGO_BIN_EXE_cors"), &[("API_LISTEN", "127.0.0.1:0")]).await
}

#[tokio::test(flavor = "multi_thread")]
async fn with_credentials_both_event_source_and_the_polyfill_resume_across_origins() {
    let program = start().await;
    let [page, api] = program.addresses(2).await[..] else { unreachable!("two were asked for") };
    let line = Line::to(api).await;
    let chromium = Chromium::start().await;
    chromium.open(&format!("http://{page}/?api=http://{}", line.address)).await;
    for how in ["cookie", "polyfill"] {
        chromium.value(&format!("document.querySelector('[value={how}]').click()")).await;
        chromium.until("numbers.length >= 5 && $('state').textContent === 'live'").await;
        line.cut();
        chromium.until("$('state').textContent === 'reconnecting'").await;
        let before = chromium.value("numbers.length").await;
        line.mend();
        chromium.until(&format!("tally.resumed >= 1 && numbers.length > {before} + 5")).await;
        assert_eq!(chromium.value(COMPLETE).await, true, "{how}: none missing, none twice");
    }
    is_fit_to_be_seen(&chromium, env!("CARGO_MANIFEST_DIR")).await;
    chromium.value("document.querySelector('[value=nothing]').click()").await;
    chromium.until("$('state').textContent === 'refused'").await;
    assert_eq!(chromium.value("$('tally').textContent").await, "0 events");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_asks_for_a_session_again_after_a_restart() {
    let program = start().await;
    let addresses = program.addresses(2).await;
    let chromium = Chromium::start().await;
    chromium.open(&format!("http://{}/", addresses[0])).await;
    chromium.until("numbers.length >= 2 && $('state').textContent === 'live'").await;
    let token = chromium.value("token").await;
    drop(program); // which kills it
    chromium.until("$('state').textContent === 'reconnecting'").await;
    let [page, api] = [0, 1].map(|at| addresses[at].to_string());
    let environment = [("LISTEN", page.as_str()), ("API_LISTEN", &api)];
    let _program = Program::start_with(env!("CARGO_BIN_EXE_cors"), &environment).await;
    chromium.until("$('state').textContent === 'live' && numbers.length >= 2").await;
    assert_ne!(chromium.value("token").await, token, "another session");
}

#[tokio::test(flavor = "multi_thread")]
async fn another_origin_is_not_let_in() {
    let program = start().await;
    let [page, api] = program.addresses(2).await[..] else { unreachable!("two were asked for") };
    let elsewhere = Line::to(page).await; // the same page, at an origin that nobody allowed
    let chromium = Chromium::start().await;
    chromium.open(&format!("http://{}/?api=http://{api}", elsewhere.address)).await;
    chromium.until("$('state').textContent.startsWith('refused')").await;
    assert_eq!(chromium.value("numbers.length").await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_preflight_is_answered_for_the_pages_origin_alone() {
    let program = start().await;
    let [page, api] = program.addresses(2).await[..] else { unreachable!("two were asked for") };
    let ask = async |origin: &str| {
        let request = Client::new()
            .request(Method::OPTIONS, format!("http://{api}/events"))
            .header("Origin", origin)
            .header("Access-Control-Request-Method", "GET")
            .header("Access-Control-Request-Headers", "authorization");
        request.send().await.expect("it answers").headers().clone()
    };
    let origin = format!("http://{page}");
    let answer = ask(&origin).await;
    assert_eq!(answer["access-control-allow-origin"], *origin);
    assert_eq!(answer["access-control-allow-credentials"], "true");
    let headers = answer["access-control-allow-headers"].to_str().expect("ASCII");
    assert!(headers.contains("authorization") && headers.contains("last-event-id"), "{headers}");
    let answer = ask("http://elsewhere.example").await;
    assert_ne!(
        answer.get("access-control-allow-origin").and_then(|origin| origin.to_str().ok()),
        Some("http://elsewhere.example")
    );
}
