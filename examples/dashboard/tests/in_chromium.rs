//! The page in a real browser.

use sse_test_kit::browser::Chromium;
use sse_test_kit::cookbook::{is_fit_to_be_seen, outage};
use sse_test_kit::lines::Line;
use sse_test_kit::program::Program;

/// Tells whether no second is missing between the first and the last: each is the mean of ten.
const COMPLETE: &str = "[...seconds.keys()].sort((a, b) => a - b)\
    .every((number, i, all) => i === 0 || number === all[i - 1] + 10)";

#[tokio::test(flavor = "multi_thread")]
async fn no_second_is_missing_in_the_chart_after_a_short_cut_nor_after_a_long_one() {
    let program = Program::start(env!("CARGO_BIN_EXE_dashboard")).await;
    let line = Line::to(program.address).await;
    let chromium = Chromium::start().await;
    chromium.open(&format!("http://{}/", line.address)).await;
    chromium.until("seconds.size >= 3 && $('watching').textContent === '1'").await;
    chromium.until("Number($('rate').textContent) >= 8").await;
    assert_eq!(chromium.value("resets").await, 0, "a first visit has lost nothing");

    // Shorter than the log remembers: the seconds are replayed.
    let cut_for = async |seconds: u32, resumed: &str| {
        line.cut();
        chromium.until("$('state').textContent === 'reconnecting'").await;
        let at = chromium.value("now.at").await.as_u64().expect("a time");
        let passed = format!("Date.now() > {at} + {seconds} * 1000");
        chromium.until(&passed).await;
        line.mend();
        chromium.until(resumed).await;
        chromium.until(&format!("now.at > {at} + ({seconds} + 3) * 1000")).await;
        assert_eq!(chromium.value(COMPLETE).await, true, "no second is missing");
    };
    cut_for(4, "tally.resumed === 1 && resets === 0").await;
    // Longer: a gap, filled by the history.
    cut_for(14, "tally.begunAgain === 1 && resets === 1").await;
    is_fit_to_be_seen(&chromium, env!("CARGO_MANIFEST_DIR")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_was_started_again_begins_again() {
    let path = env!("CARGO_BIN_EXE_dashboard");
    let program = Program::start(path).await;
    let address = program.address.to_string();
    let chromium = Chromium::start().await;
    chromium.open(&format!("http://{address}/")).await;
    chromium.until("seconds.size >= 2").await;
    outage::is_away(&chromium, program).await;
    let _program = outage::begins_again(&chromium, path, &address).await;
}
