//! The page in a real browser.

use sse_test_kit::browser::Chromium;
use sse_test_kit::cookbook::{is_fit_to_be_seen, outage};
use sse_test_kit::lines::Line;
use sse_test_kit::program::Program;

async fn order(program: &Program, dish: &str) {
    let url = format!("http://{}/orders", program.address);
    let form = format!("dish={}", dish.replace(' ', "+"));
    let request = reqwest::Client::new().post(url).body(form);
    let request = request.header("Content-Type", "application/x-www-form-urlencoded");
    assert_eq!(request.send().await.expect("it answers").status(), 204);
}

#[tokio::test(flavor = "multi_thread")]
async fn htmx_swaps_in_each_fragment_once_though_the_line_is_cut() {
    let program = Program::start(env!("CARGO_BIN_EXE_htmx")).await;
    let line = Line::to(program.address).await;
    let chromium = Chromium::start().await;
    order(&program, "Soup").await; // before the page is open
    chromium.open(&format!("http://{}/", line.address)).await;
    chromium.until("$('orders').childElementCount === 1 && $('count').textContent === '1'").await;
    chromium.value("$('dish').focus()").await;
    chromium.press("Dumplings\u{e007}").await;
    chromium.until("$('orders').childElementCount === 2 && $('dish').value === ''").await;

    line.cut();
    chromium.until("$('state').textContent === 'reconnecting'").await;
    order(&program, "Pancakes <script>alert(1)</script>").await;
    order(&program, "Coffee").await;
    line.mend();
    chromium.until("$('orders').childElementCount >= 4 && tally.resumed >= 1").await;
    order(&program, "The bill").await;
    chromium.until("$('count').textContent === '5'").await;
    let orders = chromium.texts("#orders span").await;
    let expected =
        ["The bill", "Coffee", "Pancakes <script>alert(1)</script>", "Dumplings", "Soup"];
    assert_eq!(orders, expected, "each once, the newest first");
    is_fit_to_be_seen(&chromium, env!("CARGO_MANIFEST_DIR")).await;

    chromium.value("$('close').click()").await;
    chromium.until("$('state').textContent.startsWith('ended')").await;
    chromium.value("location.reload()").await;
    chromium.until("$('orders').childElementCount === 5").await;
    chromium.until("$('state').textContent.startsWith('ended')").await;

    let can_order = chromium.value("!$('dish').disabled || !$('close').disabled").await;
    assert_eq!(can_order, false, "a closed kitchen takes no order");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_that_could_not_be_sent_stays_and_can_be_sent_again() {
    let path = env!("CARGO_BIN_EXE_htmx");
    let program = Program::start(path).await;
    let address = program.address.to_string();
    let chromium = Chromium::start().await;
    chromium.open(&format!("http://{address}/")).await;
    chromium.value("$('dish').focus()").await;
    chromium.press("soup\u{e007}").await;
    chromium.until("$('orders').childElementCount === 1 && $('dish').value === ''").await;
    outage::is_away(&chromium, program).await;
    chromium.press("bread\u{e007}").await;
    chromium.until("$('failure').textContent.startsWith('Not sent')").await;
    assert_eq!(chromium.value("$('dish').value").await, "bread");
    let _program = outage::begins_again(&chromium, path, &address).await;
    chromium.press("\u{e007}").await;
    chromium.until("$('orders').innerText.includes('bread')").await;
    assert_eq!(chromium.value("$('failure').textContent").await, "");
}
