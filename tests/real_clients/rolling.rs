//! A rolling restart: two processes over one Redis, one of them restarted every 2 s, as a deployment does, and real clients that are to notice nothing.

use std::any::Any;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::join_all;
use sse_conformance::clients::Received;
use sse_conformance::{browsers, clients};
use sse_core::Event;
use sse_test_kit::reverse_proxies::NGINX;
use tokio::time::{Instant, MissedTickBehavior, interval, timeout};

use crate::fleet::Fleet;

/// The time between two restarts, and between two events.
const RESTARTS: Duration = Duration::from_secs(2);
const EVENTS: Duration = Duration::from_millis(20);

/// The time that a client may need for the last events, once nothing is restarted.
const PATIENCE: Duration = Duration::from_secs(40);

/// How a client of one kind reads until the last event, or tells why it did not.
struct Client {
    name: &'static str,
    read: fn(String, Duration) -> Reading,
}

type Reading = Pin<Box<dyn Future<Output = (Vec<Received>, Result<(), String>)>>>;

macro_rules! client {
    ($client:path) => {
        Client { name: stringify!($client), read: |url, limit| Box::pin(read($client, url, limit)) }
    };
}

async fn read(
    client: impl AsyncFnOnce(&str, &mut Vec<Received>),
    url: String,
    limit: Duration,
) -> (Vec<Received>, Result<(), String>) {
    let mut received = Vec::new();
    let reading = AssertUnwindSafe(client(&url, &mut received)).catch_unwind();
    let end = match timeout(limit, reading).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(panic)) => Err(message(&*panic)),
        Err(_) => Err("it is gone, or too slow".into()),
    };
    (received, end)
}

fn message(panic: &(dyn Any + Send)) -> String {
    panic.downcast_ref::<String>().cloned().unwrap_or_else(|| "it panicked".into())
}

fn three() -> Vec<Client> {
    vec![
        client!(browsers::fetch_event_source),
        client!(browsers::datastar),
        client!(clients::eventsource::run),
    ]
}

/// Those that come back from a clean end. Without a proxy undici 6 is none of them: it stops for good at a connection that is refused.
fn that_need_nothing(behind: Behind) -> Vec<Client> {
    let mut clients = vec![
        client!(browsers::eventsource),
        client!(browsers::polyfill),
        client!(clients::eventsource::run),
        client!(browsers::htmx),
        client!(clients::httpx_sse::run),
        client!(clients::eventsource_client::run),
    ];
    if behind == Behind::Nginx {
        clients.push(client!(clients::undici::run));
    }
    clients
}

fn all(behind: Behind) -> Vec<Client> {
    let mut all = that_need_nothing(behind);
    all.extend([client!(browsers::fetch_event_source), client!(browsers::datastar)]);
    all
}

const CUT: &[&str] = &["--cut-on-goodbye"];
const IN_TESTS_RUN: Duration = Duration::from_secs(15);
const A_MINUTE: Duration = Duration::from_secs(60);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_clients_lose_nothing_through_a_rolling_restart() {
    lose_nothing(three(), CUT, Behind::Nothing, IN_TESTS_RUN).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_clients_behind_nginx_lose_nothing_through_a_rolling_restart() {
    lose_nothing(three(), CUT, Behind::Nginx, IN_TESTS_RUN).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a minute, by name: docs/contributing.md"]
async fn eight_clients_lose_nothing_through_a_minute_of_restarts() {
    lose_nothing(all(Behind::Nothing), CUT, Behind::Nothing, A_MINUTE).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a minute, by name: docs/contributing.md"]
async fn nine_clients_behind_nginx_lose_nothing_through_a_minute_of_restarts() {
    lose_nothing(all(Behind::Nginx), CUT, Behind::Nginx, A_MINUTE).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a minute, by name: docs/contributing.md"]
async fn clients_that_need_no_other_goodbye_lose_nothing_through_a_minute_of_restarts() {
    lose_nothing(that_need_nothing(Behind::Nothing), &[], Behind::Nothing, A_MINUTE).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a minute, by name: docs/contributing.md"]
async fn clients_that_need_no_other_goodbye_behind_nginx_lose_nothing_through_a_minute_of_restarts()
{
    lose_nothing(that_need_nothing(Behind::Nginx), &[], Behind::Nginx, A_MINUTE).await;
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Behind {
    /// Half of the clients know only one process, and half only the other.
    Nothing,
    Nginx,
}

/// Appends events while the processes are restarted one after the other, and holds what each client has got against them.
async fn lose_nothing(clients: Vec<Client>, goodbye: &[&str], behind: Behind, time: Duration) {
    let mut fleet = Fleet::start(goodbye).await;
    let log = fleet.log().await;
    let start = log.stats().newest;
    let proxy = (behind == Behind::Nginx).then(|| NGINX.start(&fleet.addresses));
    let mut reading = Vec::new();
    for (number, client) in clients.iter().enumerate() {
        let address = proxy.as_ref().map_or(fleet.addresses[number % 2], |proxy| proxy.http);
        let url = format!("http://{address}/events?lastEventId={start}");
        reading.push((client.read)(url, PATIENCE + time + PATIENCE));
    }
    let happens = async {
        fleet.has_streams(clients.len(), PATIENCE).await;
        let begun = Instant::now();
        let publish = async {
            let mut tick = interval(EVENTS);
            let mut count = 0;
            while begun.elapsed() < time {
                tick.tick().await;
                count += 1;
                let event = Event::typed("datastar-number", format!("number {count}"));
                log.append(event).await.expect("Redis is there");
            }
            count
        };
        let restart = async {
            let mut tick = interval(RESTARTS);
            tick.set_missed_tick_behavior(MissedTickBehavior::Skip);
            tick.tick().await;
            let mut restarts = 0_usize;
            while begun.elapsed() + RESTARTS < time {
                tick.tick().await;
                fleet.restart(restarts % 2).await;
                restarts += 1;
            }
            restarts
        };
        let (count, restarts) = tokio::join!(publish, restart);
        let done = Event::typed("datastar-done", "done 0");
        log.append(done).await.expect("Redis is there");
        (count, restarts)
    };
    let (read, (count, restarts)) = tokio::join!(join_all(reading), happens);
    println!("{count} events, {restarts} restarts");
    assert!(restarts as u64 >= time.as_secs() / 3, "only {restarts} restarts");
    let numbers = (1..=count).map(|number| format!("number {number}"));
    let published: Vec<_> = numbers.chain(["done 0".to_owned()]).collect();
    let mut failures = Vec::new();
    for (client, (received, end)) in clients.iter().zip(read) {
        let received: Vec<_> = received.into_iter().map(|event| event.data).collect();
        let longer = published.len().max(received.len());
        if let Some(at) = (0..longer).find(|at| published.get(*at) != received.get(*at)) {
            let (published, received) = (published.get(at), received.get(at));
            failures.push(format!(
                "{}: event {at}: published {published:?}, received {received:?}; {end:?}",
                client.name
            ));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}
