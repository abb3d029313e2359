//! The two pages in a real browser.

use std::process::Command;

use sse_test_kit::browser::Chromium;
use sse_test_kit::cookbook::is_fit_to_be_seen;
use sse_test_kit::lines::Line;
use sse_test_kit::program::Program;
use sse_test_kit::wire::Request;

async fn start(folder: &tempfile::TempDir) -> Program {
    let mut command = Command::new(env!("CARGO_BIN_EXE_metrics-recipe"));
    command.arg(folder.path().join("orders.redb")).env("LISTEN", "127.0.0.1:0");
    Program::run(command).await
}

#[tokio::test(flavor = "multi_thread")]
async fn orders_come_once_also_after_a_cut() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let program = start(&folder).await;
    let line = Line::to(program.address).await;
    let chromium = Chromium::start().await;
    chromium.open(&format!("http://{}/", line.address)).await;
    chromium.until("$('state').textContent === 'live'").await;
    chromium.value("$('what').focus()").await;
    chromium.press("<b>a chair</b>\u{e007}").await;
    chromium.until("$('orders').childElementCount === 1 && $('what').value === ''").await;
    line.cut();
    chromium.until("$('state').textContent === 'reconnecting'").await;
    let order = Request::post("/regions/north/orders", "a table").send(program.address).await;
    assert_eq!(order.status, 204);
    line.mend();
    chromium.until("$('orders').childElementCount === 2 && tally.resumed === 1").await;
    assert_eq!(chromium.texts("#orders li").await, ["a table", "<b>a chair</b>"]);
    is_fit_to_be_seen(&chromium, env!("CARGO_MANIFEST_DIR")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_of_open_streams_has_a_row_for_each_with_how_far_behind_it_is() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let program = start(&folder).await;
    let open = async |region: &str| {
        let path = format!("/regions/{region}/events");
        Request::get(&path).receive_buffer(2048).send(program.address).await
    };
    let (north, mut south) = (open("north").await, open("south").await);
    let chromium = Chromium::start().await;
    let url = format!("http://{}/debug/streams", program.address);
    chromium.open(&url).await;
    let rows = "[...document.querySelectorAll('tr')].map((row) => row.innerText.split('\\t'))\
        .filter((row) => row[0] === 'orders')";
    // The columns without the times.
    let shown = async || {
        chromium.open(&url).await;
        chromium.value(&format!("JSON.stringify({rows}.map((row) => row.filter((text) => !/ s$/.test(text)).join(' ')))")).await
    };
    let until = async |wanted: &str| {
        let begun = std::time::Instant::now();
        while shown().await.as_str() != Some(wanted) {
            assert!(begun.elapsed().as_secs() < 20, "{wanted} is not {}", shown().await);
        }
    };
    until(r#"["orders north 1","orders south 1","orders north 0 live 0","orders south 0 live 0"]"#)
        .await;
    let ordered = Request::post("/regions/south/orders", "a lamp").send(program.address).await;
    assert_eq!(ordered.status, 204);
    south.next_event().await;
    until(r#"["orders north 1","orders south 1","orders north 0 live 0","orders south 1 live 0"]"#)
        .await;
    is_fit_to_be_seen(&chromium, folder.path().to_str().expect("a plain name")).await;

    // A client that does not read falls behind: of its own topic alone.
    let order = "x".repeat(1000);
    let behind = async || {
        for _ in 0..200 {
            let ordered = Request::post("/regions/north/orders", &order);
            assert_eq!(ordered.send(program.address).await.status, 204);
        }
        chromium.open(&url).await;
        let row = format!("{rows}.filter((row) => row.length === 6)[0][5]");
        chromium.value(&row).await != "0"
    };
    let mut rounds = 0..100;
    while !behind().await {
        assert!(rounds.next().is_some(), "20 MB are more than any buffer");
    }
    drop(north);
    until(r#"["orders south 1","orders south 1 live 0"]"#).await;
}
