//! The page in a real browser.

use sse_test_kit::browser::Chromium;
use sse_test_kit::cookbook::is_fit_to_be_seen;
use sse_test_kit::lines::Line;
use sse_test_kit::program::Program;

/// Remembers each state of the bar that the page shows.
const WATCH: &str = "window.seen ??= (() => { const seen = []; \
    new MutationObserver(() => seen.push($('percent').textContent)) \
        .observe($('percent'), { childList: true }); return seen; })()";

#[tokio::test(flavor = "multi_thread")]
async fn the_bar_goes_on_after_a_cut_and_a_reload_and_the_end_stays_the_end() {
    let program = Program::start(env!("CARGO_BIN_EXE_progress")).await;
    let line = Line::to(program.address).await;
    let chromium = Chromium::start().await;
    chromium.open(&format!("http://{}/", line.address)).await;
    chromium.value(WATCH).await;
    chromium.value("$('start').click()").await;
    chromium.until("$('bar').value >= 10 && $('state').textContent === 'live'").await;

    line.cut();
    chromium.until("$('state').textContent === 'reconnecting'").await;
    let before = chromium.value("$('bar').value").await.as_u64().expect("a number");
    line.mend();
    chromium.until(&format!("$('bar').value > {before} && tally.resumed > 0")).await;
    // Nothing twice and nothing backwards.
    let seen = chromium.value("seen.map(parseFloat)").await;
    let seen: Vec<u64> = serde_json::from_value(seen).expect("percents");
    assert!(seen.is_sorted_by(|a, b| a < b), "{seen:?}");
    is_fit_to_be_seen(&chromium, env!("CARGO_MANIFEST_DIR")).await;

    chromium.value("location.reload()").await;
    chromium.until(&format!("$('bar').value > {before}")).await;
    chromium.until("$('primes').textContent.startsWith('Done: there are 78,498')").await;
    chromium.until("$('state').textContent === 'ended'").await;

    // A reload shows the result, and then the browser does not ask again.
    chromium.value("location.reload()").await;
    chromium.until("$('primes').textContent.startsWith('Done: there are 78,498')").await;
    chromium.until("$('state').textContent === 'ended'").await;
    assert_eq!(chromium.value("$('percent').textContent").await, "100 %");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_is_not_there_is_refused() {
    let program = Program::start(env!("CARGO_BIN_EXE_progress")).await;
    let chromium = Chromium::start().await;
    chromium.open(&format!("http://{}/?job=7", program.address)).await;
    chromium.until("$('state').textContent === 'refused'").await;
    let said = chromium.value("$('primes').textContent").await;
    assert_eq!(said, "The server knows nothing of this job. Start another.");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_could_not_be_started_can_be_started_again() {
    let path = env!("CARGO_BIN_EXE_progress");
    let program = Program::start(path).await;
    let address = program.address.to_string();
    let chromium = Chromium::start().await;
    chromium.open(&format!("http://{address}/")).await;
    drop(program); // which kills it
    chromium.value("$('start').click()").await;
    chromium.until("$('failure').textContent.startsWith('Not sent')").await;
    assert_eq!(chromium.value("$('start').disabled").await, false);
    let _program = Program::start_with(path, &[("LISTEN", &address)]).await;
    chromium.value("$('start').click()").await;
    chromium.until("$('bar').value > 0").await;
    assert_eq!(chromium.value("$('failure').textContent").await, "");
}
