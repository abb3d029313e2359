//! A user's own stream behind sign-in, with a filter of warp.
#![forbid(unsafe_code)]

use std::convert::Infallible;

use notifications::{Accounts, Session};
use serde::Deserialize;
use sse_warp::{Sse, SseRequest, listener, sse_request, stream_events};
use warp::http::StatusCode;
use warp::reply::{Reply, html, with_header};
use warp::{Filter, Rejection, body, cookie, get, path, post, reject};

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

/// The rejection of a request without a session.
#[derive(Debug)]
struct SignedOut;

impl reject::Reject for SignedOut {}

/// Lets a request through with its session. A request without one is rejected.
fn signed_in(accounts: Accounts) -> impl Filter<Extract = (Session,), Error = Rejection> + Clone {
    cookie::optional("session").and_then(move |token: Option<String>| {
        let session = token.and_then(|token| accounts.session(&token));
        std::future::ready(session.ok_or_else(|| reject::custom(SignedOut)))
    })
}

fn events(session: Session, request: SseRequest) -> Sse {
    stream_events(request, session.feed())
}

fn sign_in(accounts: &Accounts, who: SignIn) -> Result<impl Reply + use<>, StatusCode> {
    let token = accounts.sign_in(&who.name, &who.password).ok_or(StatusCode::UNAUTHORIZED)?;
    // Over HTTPS also `Secure`.
    let cookie = format!("session={token}; HttpOnly; SameSite=Strict; Path=/");
    Ok(with_header(StatusCode::NO_CONTENT, "set-cookie", cookie))
}

fn me(session: Session) -> &'static str {
    session.user
}

async fn notify(session: Session, note: Note) -> Result<StatusCode, Infallible> {
    Ok(match session.notify(&note.to, &note.text).await {
        Ok(true) => StatusCode::NO_CONTENT,
        Ok(false) => StatusCode::NOT_FOUND,
        Err(_) => StatusCode::UNPROCESSABLE_ENTITY,
    })
}

fn sign_out(session: Session) -> StatusCode {
    session.revoke_all();
    StatusCode::NO_CONTENT
}

/// Turns a rejection of ours into its status; warp answers the others.
async fn explain(rejection: Rejection) -> Result<impl Reply, Rejection> {
    rejection.find::<SignedOut>().map(|_| StatusCode::UNAUTHORIZED).ok_or(rejection)
}

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let accounts = Accounts::default();
    let stop = accounts.shutdown().begin_after(tokio::signal::ctrl_c());
    let (page, signed_in) = (notifications::page(), signed_in(accounts.clone()));
    let events = get().and(path!("events")).and(signed_in.clone()).and(sse_request()).map(events);
    let me = get().and(path!("me")).and(signed_in.clone()).map(me);
    let notify =
        post().and(path!("notify")).and(signed_in.clone()).and(body::form()).and_then(notify);
    let sign_out = post().and(path!("sign-out")).and(signed_in).map(sign_out);
    let sign_in =
        post().and(path!("sign-in")).and(body::form()).map(move |who| sign_in(&accounts, who));
    let page = get().and(path::end()).map(move || html(page.clone()));
    let routes = events.or(me).or(notify).or(sign_out).or(sign_in).or(page).recover(explain);
    let listener = listener(look::address())?;
    println!("open http://{}", listener.local_addr()?);
    warp::serve(routes).incoming(listener).graceful(stop).run().await;
    Ok(())
}
