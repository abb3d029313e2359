//! The page in a real browser.

use sse_test_kit::browser::Chromium;
use sse_test_kit::cookbook::is_fit_to_be_seen;
use sse_test_kit::lines::Line;
use sse_test_kit::program::Program;

#[tokio::test(flavor = "multi_thread")]
async fn not_a_word_is_lost_when_the_line_is_cut() {
    let program = Program::start(env!("CARGO_BIN_EXE_tokens")).await;
    let line = Line::to(program.address).await;
    let chromium = Chromium::start().await;
    chromium.open(&format!("http://{}/", line.address)).await;
    chromium.value("$('question').focus()").await;
    chromium.press("\u{e007}").await; // Enter asks
    chromium.until("$('answer').textContent.includes('not a model')").await;
    line.cut();
    chromium.until("$('state').textContent === 'reconnecting'").await;
    line.mend();
    chromium.until("tally.resumed === 1").await;
    chromium.value("$('cut').click()").await; // the page's own
    chromium.until("tally.resumed === 2").await;
    chromium.until("$('answer').textContent.includes('pull the plug')").await;
    is_fit_to_be_seen(&chromium, env!("CARGO_MANIFEST_DIR")).await;

    chromium.until("$('state').textContent === 'ended'").await;
    let text = chromium.value("$('answer').textContent").await;
    let text = text.as_str().expect("a text");
    assert!(text.starts_with("I am not a model. I am a stand-in, written by hand,"), "{text}");
    assert!(text.ends_with("You asked: What happens when I am cut off?"), "{text}");
    assert_eq!(text.split_whitespace().count(), 143, "each word once: {text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn stopping_the_page_stops_the_server() {
    let program = Program::start(env!("CARGO_BIN_EXE_tokens")).await;
    let chromium = Chromium::start().await;
    chromium.open(&format!("http://{}/", program.address)).await;
    chromium.value("$('ask').requestSubmit()").await;
    chromium.until("$('answer').textContent.includes('stand-in')").await;
    chromium.value("$('stop').click()").await;
    chromium.until("$('state').textContent === 'ended: stopped, ask again'").await;
    program.says("nobody listens: stopped after").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_question_waits_for_the_end_of_the_first() {
    let program = Program::start(env!("CARGO_BIN_EXE_tokens")).await;
    let chromium = Chromium::start().await;
    chromium.open(&format!("http://{}/", program.address)).await;
    chromium.value("$('send').click()").await;
    chromium.until("$('answer').textContent.includes('stand-in')").await;
    chromium.value("($('question').value = 'And then?', $('question').focus())").await;
    chromium.press("\u{e007}").await; // while the first is written
    chromium.value("$('stop').click()").await;
    chromium.until("!$('send').disabled").await;
    assert_eq!(chromium.value("$('answer').textContent.includes('And then?')").await, false);
    chromium.press("\u{e007}").await;
    chromium.until("$('state').textContent === 'ended'").await;
    let text = chromium.value("$('answer').textContent").await;
    let text = text.as_str().expect("a text");
    assert!(text.starts_with("I am not a model. I am a stand-in, written by hand,"), "{text}");
    assert!(text.ends_with("You asked: And then?"), "{text}");
}
