//! Serves a log and a source through one of the adapters, so that any suite can be held against it.

mod arguments;
mod history;
mod logs;
mod routes;
mod topics;

use std::io::Write;
use std::time::Duration;

use clap::Parser;
use sse_conformance::suite::app::App;
use tokio::signal::unix::{SignalKind, signal};

use crate::arguments::Arguments;

fn main() -> std::io::Result<()> {
    let arguments = Arguments::parse();
    let serve = arguments.framework.serve;
    let (_runtime, logs) = logs::open(&arguments)?;
    let app = routes::app(logs, &arguments).map_err(std::io::Error::other)?;
    shut_down_on_sigterm(&app, arguments.drain_window())?;
    let ready = |address| {
        println!("listening on http://{address}");
        // An error means that the reader of the line has gone: then there is nobody to tell.
        drop(std::io::stdout().flush());
    };
    serve(app, arguments.listen, Box::new(ready))
}

/// Begins the shutdown when SIGTERM comes: in a thread and a runtime of its own, since each framework brings another.
fn shut_down_on_sigterm(app: &App, window: Duration) -> std::io::Result<()> {
    let shutdown = app.shutdown.clone();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let mut sigterm = {
        let _entered = runtime.enter();
        signal(SignalKind::terminate())?
    };
    std::thread::spawn(move || {
        runtime.block_on(sigterm.recv());
        shutdown.drain(window);
    });
    Ok(())
}
