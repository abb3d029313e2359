//! A user's own stream behind sign-in, with actix-web and actix-session.
#![forbid(unsafe_code)]

use std::future::{Ready, ready};

use actix_session::storage::CookieSessionStore;
use actix_session::{SessionExt, SessionMiddleware};
use actix_web::cookie::{Key, SameSite};
use actix_web::dev::Payload;
use actix_web::error::{ErrorInternalServerError, ErrorUnauthorized};
use actix_web::web::{Data, Form, Html, get, post};
use actix_web::{App, Error, FromRequest, HttpRequest, HttpResponse, HttpServer};
use notifications::{Accounts, Session};
use serde::Deserialize;
use sse_actix::{Sse, SseRequest, listener, stream_events};

#[derive(Deserialize)]
struct SignIn {
    name: String,
    password: String,
}

#[derive(Deserialize)]
struct Note {
    to: String,
    text: String,
}

/// A user who has signed in. A handler that takes it does not run for anyone else.
struct SignedIn(Session);

impl FromRequest for SignedIn {
    type Error = Error;
    type Future = Ready<Result<Self, Error>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let accounts = request.app_data::<Data<Accounts>>().expect("main adds them");
        let token = request.get_session().get::<String>("token").ok().flatten();
        let session = token.and_then(|token| accounts.session(&token));
        ready(session.map(Self).ok_or_else(|| ErrorUnauthorized("sign in")))
    }
}

async fn events(SignedIn(session): SignedIn, request: SseRequest) -> Sse {
    stream_events(request, session.feed())
}

async fn sign_in(
    accounts: Data<Accounts>,
    session: actix_session::Session,
    who: Form<SignIn>,
) -> Result<HttpResponse, Error> {
    let token = accounts.sign_in(&who.name, &who.password);
    let token = token.ok_or_else(|| ErrorUnauthorized("that is not the password"))?;
    session.renew();
    session.insert("token", token).map_err(ErrorInternalServerError)?;
    Ok(HttpResponse::NoContent().finish())
}

async fn me(SignedIn(session): SignedIn) -> &'static str {
    session.user
}

async fn notify(SignedIn(session): SignedIn, note: Form<Note>) -> HttpResponse {
    match session.notify(&note.to, &note.text).await {
        Ok(true) => HttpResponse::NoContent(),
        Ok(false) => HttpResponse::NotFound(),
        Err(_) => HttpResponse::UnprocessableEntity(),
    }
    .finish()
}

async fn sign_out(SignedIn(session): SignedIn) -> HttpResponse {
    session.revoke_all();
    HttpResponse::NoContent().finish()
}

#[actix_web::main]
async fn main() -> std::io::Result<()> {
    let accounts = Accounts::default();
    let stop = accounts.shutdown().begin_after(tokio::signal::ctrl_c());
    // Sealed with a key of this process; over HTTPS without the line that says `cookie_secure(false)`.
    let key = Key::generate();
    let sessions = move || {
        SessionMiddleware::builder(CookieSessionStore::default(), key.clone())
            .cookie_secure(false)
            .cookie_same_site(SameSite::Strict)
            .build()
    };
    let page = notifications::page();
    let app = move || {
        let page = page.clone();
        App::new()
            .app_data(Data::new(accounts.clone()))
            .route("/events", get().to(events))
            .route("/me", get().to(me))
            .route("/notify", post().to(notify))
            .route("/sign-out", post().to(sign_out))
            .route("/sign-in", post().to(sign_in))
            .route("/", get().to(move || ready(Html::new(page.clone()))))
            .wrap(sessions())
    };
    let listener = listener(look::address())?;
    println!("open http://{}", listener.local_addr()?);
    let server = HttpServer::new(app).h1_allow_half_closed(false).shutdown_signal(stop);
    server.listen(listener)?.run().await
}
