use actix_web::{App, HttpServer, web};
use sse_actix::{EventLog, OnGap, Sse, SseRequest, listener, stream_events};

async fn events(log: web::Data<EventLog>, request: SseRequest) -> Sse {
    stream_events(request, log.feed().on_gap(OnGap::StartOver))
}

#[actix_web::main]
async fn main() -> std::io::Result<()> {
    let log = web::Data::new(hello::with_clock(EventLog::in_memory(1000)));
    let stop = log.shutdown().begin_after(tokio::signal::ctrl_c());
    let page = || web::resource("/").get(async || web::Html::new(hello::PAGE));
    let app = move || App::new().app_data(log.clone()).route("/events", web::get().to(events));
    let server = HttpServer::new(move || app().service(page())).shutdown_signal(stop);
    server.h1_allow_half_closed(false).listen(listener("127.0.0.1:3000")?)?.run().await
}
