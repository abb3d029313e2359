//! The page in a real browser.

use sse_test_kit::browser::Chromium;
use sse_test_kit::cookbook::{is_fit_to_be_seen, outage};
use sse_test_kit::lines::Line;
use sse_test_kit::program::Program;
use sse_test_kit::wire::Request;

/// Tells whether each number follows on the one before, in each log.
const COMPLETE: &str = "Object.values(numbers).every((seen) => \
    seen.every((number, i) => i === 0 || number === seen[i - 1] + 1))";

#[tokio::test(flavor = "multi_thread")]
async fn a_cut_resumes_all_and_what_is_left_out_does_not_move_the_others() {
    let program = Program::start(env!("CARGO_BIN_EXE_merged")).await;
    let line = Line::to(program.address).await;
    let chromium = Chromium::start().await;
    chromium.open(&format!("http://{}/", line.address)).await;
    chromium.value("$('text').focus()").await;
    chromium.press("The first note\u{e007}").await;
    chromium.until("numbers.notes.length === 1 && numbers.clock.length >= 2").await;

    line.cut();
    chromium.until("$('state').textContent === 'reconnecting'").await;
    let posted = Request::post("/notes", "text=Missed,+and+here")
        .header("Content-Type", "application/x-www-form-urlencoded");
    assert_eq!(posted.send(program.address).await.status, 204);
    let before = chromium.value("numbers.prices.length").await;
    line.mend();
    chromium.until(&format!("tally.resumed === 1 && numbers.prices.length > {before} + 5")).await;
    assert_eq!(chromium.value("numbers.notes").await, serde_json::json!([0, 1]));
    assert_eq!(chromium.value(COMPLETE).await, true, "none is missing, none comes twice");
    is_fit_to_be_seen(&chromium, env!("CARGO_MANIFEST_DIR")).await;

    // Without the clock for a while: the other two go on where they were.
    chromium.value("$('clock').click()").await;
    chromium.until("$('state').textContent === 'live'").await;
    let clock = chromium.value("numbers.clock.length").await;
    let prices = chromium.value("numbers.prices.length").await;
    chromium.until(&format!("numbers.prices.length > {prices} + 5")).await;
    assert_eq!(chromium.value("numbers.clock.length").await, clock);
    chromium.value("$('clock').click()").await;
    chromium.until("numbers.clock.length >= 6").await;
    assert_eq!(chromium.value(COMPLETE).await, true);
    assert_eq!(chromium.value("numbers.notes").await, serde_json::json!([0, 1]));

    // A page that asks for other logs while it is away comes back once.
    chromium.value("$('leave').click(), $('clock').click()").await;
    chromium.until("!$('leave').disabled").await;
    let prices = chromium.value("numbers.prices.length").await;
    chromium.until(&format!("numbers.prices.length > {prices} + 5")).await;
    assert_eq!(chromium.value(COMPLETE).await, true, "none comes twice");

    // The last one cannot be left out, and keeps what it shows.
    chromium.value("$('prices').click(), $('notes').click()").await;
    let shown = chromium.value("document.querySelectorAll('#of-notes li').length").await;
    assert_eq!(shown, 2);
    assert_eq!(chromium.value("$('notes').checked").await, true);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_no_log_there_is_no_stream() {
    let program = Program::start(env!("CARGO_BIN_EXE_merged")).await;
    let response = Request::get("/events?logs=cellar").send(program.address).await;
    assert_eq!(response.status, 400);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_was_started_again_begins_again() {
    let path = env!("CARGO_BIN_EXE_merged");
    let program = Program::start(path).await;
    let address = program.address.to_string();
    let chromium = Chromium::start().await;
    chromium.open(&format!("http://{address}/")).await;
    chromium.until("numbers.clock.length > 2").await;
    outage::is_away(&chromium, program).await;
    let _program = outage::begins_again(&chromium, path, &address).await;
}
