use rocket::response::content::RawHtml;
use sse_rocket::{EventLog, OnGap, Sse, SseRequest, stream_events};

#[rocket::get("/events")]
fn events(log: &rocket::State<EventLog>, request: SseRequest) -> Sse {
    stream_events(request, log.feed().on_gap(OnGap::StartOver))
}

#[rocket::get("/")]
fn page() -> RawHtml<&'static str> {
    RawHtml(hello::PAGE)
}

#[rocket::launch]
async fn rocket() -> _ {
    let log = hello::with_clock(EventLog::in_memory(1000));
    let config = rocket::Config::figment().merge(("port", 3000)).merge(("shutdown.grace", 1));
    rocket::custom(config).manage(log).mount("/", rocket::routes![events, page])
}
