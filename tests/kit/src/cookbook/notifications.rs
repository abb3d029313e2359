//! The requirements of the notifications in each framework.

use std::path::Path;
use std::time::Duration;

use super::is_fit_to_be_seen;
use crate::browser::Chromium;
use crate::lines::Line;
use crate::program::Program;
use crate::wire::{Request, Response};

/// Each requirement as a test of a program: `notifications_tests!("CARGO_BIN_EXE_notifications-axum")`.
#[macro_export]
macro_rules! notifications_tests {
    ($program:literal) => {
        $crate::notifications_tests! {
            $program:
            a_user_sees_what_is_theirs_and_resumes_it_after_a_cut
            nobody_sees_or_resumes_what_is_anothers
            access_that_is_revoked_ends_the_stream
        }
    };
    ($program:literal: $($requirement:ident)+) => {$(
        #[tokio::test(flavor = "multi_thread")]
        async fn $requirement() {
            $crate::cookbook::notifications::$requirement(env!($program)).await;
        }
    )+};
}

/// # Panics
///
/// If it is not so.
pub async fn a_user_sees_what_is_theirs_and_resumes_it_after_a_cut(program: &str) {
    let program = Program::start(program).await;
    let line = Line::to(program.address).await;
    let grace = sign_in(&program, "grace", "hopper").await;
    notify(&program, &grace, "ada", "From before you came").await;

    let chromium = Chromium::start().await;
    chromium.open(&format!("http://{}/", line.address)).await;
    chromium.until("!$('sign-in').hidden").await;
    chromium.value("$('user').focus()").await;
    chromium.press("ada\u{e004}wrong\u{e007}").await;
    chromium.until("$('wrong').textContent !== ''").await;
    chromium.value("(document.querySelector('[name=password]').value = '')").await;
    chromium.press("lovelace\u{e007}").await;
    chromium.until("$('me').textContent === 'ada' && $('state').textContent === 'live'").await;
    chromium.until("$('inbox').childElementCount === 1").await;

    line.cut();
    chromium.until("$('state').textContent === 'reconnecting'").await;
    notify(&program, &grace, "ada", "While you were away").await;
    notify(&program, &grace, "grace", "Not for you").await;
    line.mend();
    chromium.until("$('inbox').childElementCount >= 2 && tally.resumed >= 1").await;
    notify(&program, &grace, "ada", "Now that you are back").await;
    chromium.until("$('inbox').innerText.includes('Now that')").await;
    let inbox = chromium.texts("#inbox span").await;
    assert_eq!(inbox, ["Now that you are back", "While you were away", "From before you came"]);
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/notifications");
    is_fit_to_be_seen(&chromium, folder.to_str().expect("a plain name")).await;
}

/// # Panics
///
/// If it is not so.
pub async fn nobody_sees_or_resumes_what_is_anothers(program: &str) {
    let program = Program::start(program).await;
    let refused = Request::get("/events").send(program.address).await;
    assert_eq!(refused.status, 401, "nobody is signed in");
    let forged = Request::get("/events").header("Cookie", "session=0000");
    assert_eq!(forged.send(program.address).await.status, 401);

    let ada = sign_in(&program, "ada", "lovelace").await;
    let grace = sign_in(&program, "grace", "hopper").await;
    for text in ["one", "two"] {
        notify(&program, &ada, "ada", text).await;
    }
    notify(&program, &ada, "grace", "for Grace").await;
    let mut adas = watch(&program, &ada, None).await;
    let first = adas.next_event().await;
    assert!(first.data.contains("one"));
    let id = first.last_event_id;
    // Hers, after the first: she resumes.
    let mut resumed = watch(&program, &ada, Some(&id)).await;
    assert!(resumed.next_event().await.data.contains("two"));
    // With her id, another user gets what is after it, and of that only their own events.
    let mut graces = watch(&program, &grace, Some(&id)).await;
    assert!(graces.next_event().await.data.contains("for Grace"));
    notify(&program, &grace, "ada", "three").await;
    notify(&program, &grace, "grace", "for Grace again").await;
    assert!(graces.next_event().await.data.contains("for Grace again"));
}

/// # Panics
///
/// If it is not so.
pub async fn access_that_is_revoked_ends_the_stream(program: &str) {
    let program = Program::start(program).await;
    let phone = sign_in(&program, "ada", "lovelace").await;
    let grace = sign_in(&program, "grace", "hopper").await;
    let mut graces = watch(&program, &grace, None).await;
    let mut phones = watch(&program, &phone, None).await;
    phones.read_until(|bytes| bytes.starts_with(b": ok\n")).await;

    let chromium = Chromium::start().await;
    chromium.open(&format!("http://{}/", program.address)).await;
    chromium.until("!$('sign-in').hidden").await;
    chromium.value("$('user').focus()").await;
    chromium.press("ada\u{e004}lovelace\u{e007}").await;
    chromium.until("$('state').textContent === 'live'").await;
    notify(&program, &grace, "ada", "Goodbye").await;
    chromium.until("$('inbox').childElementCount === 1").await;

    let signed_out = Request::post("/sign-out", "").header("Cookie", &phone);
    assert_eq!(signed_out.send(program.address).await.status, 204);
    assert!(phones.next_event().await.data.contains("Goodbye"), "from before");
    phones.end_within(Duration::from_secs(2)).await;
    chromium
        .until("!$('sign-in').hidden && $('state').textContent.startsWith('idle: your session')")
        .await;
    let left = "$('inbox').childElementCount + document.title";
    assert_eq!(chromium.value(left).await, "0Notifications", "nothing of hers is left in the page");
    let again = Request::get("/events").header("Cookie", &phone).send(program.address).await;
    assert_eq!(again.status, 401);
    // Nobody else's stream has ended.
    notify(&program, &grace, "grace", "still here").await;
    assert!(graces.next_event().await.data.contains("still here"));
}

/// The cookie of a session.
async fn sign_in(program: &Program, name: &str, password: &str) -> String {
    let request = form("/sign-in", &format!("name={name}&password={password}"));
    let response = request.send(program.address).await;
    assert_eq!(response.status, 204);
    let cookie = response.header("set-cookie").expect("a session has a cookie");
    assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict"), "{cookie}");
    cookie.split(';').next().expect("a cookie has a value").to_owned()
}

async fn notify(program: &Program, cookie: &str, to: &str, text: &str) {
    let request = form("/notify", &format!("to={to}&text={}", text.replace(' ', "+")));
    let response = request.header("Cookie", cookie).send(program.address).await;
    assert_eq!(response.status, 204);
}

async fn watch(program: &Program, cookie: &str, last_event_id: Option<&str>) -> Response {
    let request = Request::get("/events").header("Cookie", cookie);
    match last_event_id {
        Some(id) => request.header("Last-Event-ID", id).send(program.address).await,
        None => request.send(program.address).await,
    }
}

fn form(path: &str, body: &str) -> Request {
    Request::post(path, body).header("Content-Type", "application/x-www-form-urlencoded")
}
