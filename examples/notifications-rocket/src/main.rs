//! A user's own stream behind sign-in, with a guard of Rocket.
#![forbid(unsafe_code)]

use std::net::SocketAddr;

use notifications::{Accounts, Session};
use rocket::fairing::AdHoc;
use rocket::form::{Form, FromForm};
use rocket::http::{Cookie, CookieJar, SameSite, Status};
use rocket::request::{FromRequest, Outcome, Request};
use rocket::response::content::RawHtml;
use rocket::{State, get, post, routes};
use sse_rocket::{Sse, SseRequest, stream_events};

#[derive(FromForm)]
struct SignIn {
    name: String,
    password: String,
}

#[derive(FromForm)]
struct Note {
    to: String,
    text: String,
}

/// A user who has signed in. A handler that takes it does not run for anyone else.
struct SignedIn(Session);

#[rocket::async_trait]
impl<'r> FromRequest<'r> for SignedIn {
    type Error = ();

    async fn from_request(request: &'r Request<'_>) -> Outcome<Self, ()> {
        let accounts = request.rocket().state::<Accounts>().expect("main manages them");
        let token = request.cookies().get("session");
        match token.and_then(|token| accounts.session(token.value())) {
            Some(session) => Outcome::Success(Self(session)),
            None => Outcome::Error((Status::Unauthorized, ())),
        }
    }
}

#[get("/events")]
fn events(session: SignedIn, request: SseRequest) -> Sse {
    stream_events(request, session.0.feed())
}

#[post("/sign-in", data = "<who>")]
fn sign_in(accounts: &State<Accounts>, who: Form<SignIn>, cookies: &CookieJar<'_>) -> Status {
    let Some(token) = accounts.sign_in(&who.name, &who.password) else {
        return Status::Unauthorized;
    };
    // Over HTTPS also `secure(true)`.
    let cookie = Cookie::build(("session", token)).http_only(true);
    cookies.add(cookie.same_site(SameSite::Strict).path("/"));
    Status::NoContent
}

#[get("/me")]
fn me(session: SignedIn) -> &'static str {
    session.0.user
}

#[post("/notify", data = "<note>")]
async fn notify(session: SignedIn, note: Form<Note>) -> Status {
    match session.0.notify(&note.to, &note.text).await {
        Ok(true) => Status::NoContent,
        Ok(false) => Status::NotFound,
        Err(_) => Status::UnprocessableEntity,
    }
}

#[post("/sign-out")]
fn sign_out(session: SignedIn) -> Status {
    session.0.revoke_all();
    Status::NoContent
}

#[get("/")]
fn page() -> RawHtml<String> {
    RawHtml(notifications::page())
}

#[rocket::launch]
fn rocket() -> _ {
    let address: SocketAddr = look::address().parse().expect("LISTEN is an address");
    let config = rocket::Config::figment()
        .merge(("address", address.ip()))
        .merge(("port", address.port()))
        .merge(("log_level", "critical"))
        .merge(("shutdown.grace", 1));
    let listens = AdHoc::on_liftoff("print the address", |rocket| {
        let config = rocket.config();
        println!("open http://{}", SocketAddr::new(config.address, config.port));
        Box::pin(std::future::ready(()))
    });
    rocket::custom(config)
        .manage(Accounts::default())
        .attach(listens)
        .mount("/", routes![events, sign_in, me, notify, sign_out, page])
}
