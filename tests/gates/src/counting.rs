//! Instructions by callgrind, write calls by strace, allocations by a counting allocator. Each is the difference of two runs that differ in
//! the number of events alone.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use crate::committed::Figure;
use crate::deliveries::{self, Deliveries};
use crate::server::Server;

/// The numbers of events of the two runs.
const FEW: usize = 10;
const MANY: usize = 60;

/// The number of clients of a server.
const CLIENTS: usize = 50;

/// The part that the core may cost more: its counts are exact.
const CORE: f64 = 0.03;

/// The part that a server may cost more: how many events a poll of the system gives is chance.
const SERVER: f64 = 0.1;

/// The instructions, allocations and bytes of a delivery in the core alone.
pub fn in_the_core(name: &str, of: impl Fn(usize) -> Deliveries) -> Vec<Figure> {
    let deliveries = ((MANY - FEW) * of(0).clients) as f64;
    let instructions = |events| {
        let Deliveries { logs, clients, events, size } = of(events);
        let arguments =
            format!("deliveries --logs {logs} --clients {clients} --events {events} --size {size}");
        let (mut command, counted) = callgrind(&arguments);
        let status = command.stdout(Stdio::null()).status().expect("valgrind is installed");
        assert!(status.success(), "{arguments} under valgrind: {status}");
        instructions_in(&counted)
    };
    let allocations = |events| {
        allocation_counter::measure(|| {
            deliveries::measure(&of(events));
        })
        .count_total as f64
    };
    let bytes = |events| deliveries::measure(&of(events)) as f64;
    let figure = |what: &str, count: &dyn Fn(usize) -> f64| Figure {
        name: format!("the core, {name}: {what} a delivery"),
        value: (count(MANY) - count(FEW)) / deliveries,
        allowed: CORE,
    };
    vec![
        figure("instructions", &instructions),
        figure("allocations", &allocations),
        figure("bytes", &bytes),
    ]
}

/// The instructions and write calls of a delivery over each framework, as ratios to those of raw tasks in the same run: the median of 5.
pub fn over_frameworks() -> Vec<Figure> {
    [("instructions", instructions_of as fn(&str, usize) -> f64), ("write calls", writes_of)]
        .into_iter()
        .flat_map(|(what, count)| over_each(what, count))
        .collect()
}

fn over_each(what: &str, count: fn(&str, usize) -> f64) -> Vec<Figure> {
    let difference = |server: Server| {
        let name = server.name();
        count(&name, MANY) - count(&name, FEW)
    };
    let round = |_| {
        let raw = difference(Server::Raw);
        Server::FRAMEWORKS.map(|framework| difference(framework) / raw)
    };
    let rounds: Vec<_> = (0..5).map(round).collect();
    let median = |(nth, framework): (usize, Server)| {
        let mut ratios: Vec<_> = rounds.iter().map(|round| round[nth]).collect();
        ratios.sort_by(f64::total_cmp);
        let name = format!("{}: {what} a delivery, raw tasks = 1", framework.name());
        Figure { name, value: ratios[2], allowed: SERVER }
    };
    Server::FRAMEWORKS.into_iter().enumerate().map(median).collect()
}

fn instructions_of(server: &str, events: usize) -> f64 {
    let (command, counted) = callgrind(&format!("serve {server}"));
    deliver(command, events);
    instructions_in(&counted)
}

fn writes_of(server: &str, events: usize) -> f64 {
    let counted = file("strace");
    let mut command = Command::new("strace");
    command.args(["-f", "-c", "-e", "trace=write,writev,sendto,sendmsg", "-o"]).arg(&counted);
    command.arg(program()).args(["serve", server]);
    deliver(command, events);
    let text = std::fs::read_to_string(&counted).expect("strace wrote it");
    drop(std::fs::remove_file(&counted));
    // The fourth column is the number of calls.
    let calls = text.lines().filter(|line| !line.ends_with("total"));
    calls.filter_map(|line| line.split_whitespace().nth(3)?.parse::<f64>().ok()).sum()
}

fn callgrind(arguments: &str) -> (Command, PathBuf) {
    let counted = file("callgrind");
    let mut command = Command::new("valgrind");
    command.args(["--tool=callgrind", "--quiet"]);
    command.arg(format!("--callgrind-out-file={}", counted.display()));
    command.arg(program()).args(arguments.split(' '));
    (command, counted)
}

fn instructions_in(counted: &PathBuf) -> f64 {
    let text = std::fs::read_to_string(counted).expect("callgrind wrote it");
    drop(std::fs::remove_file(counted));
    let mut totals = text.lines().filter_map(|line| line.strip_prefix("totals: "));
    totals.next().and_then(|total| total.trim().parse().ok()).expect("a total")
}

/// Runs a server, and has it deliver so many events, one after the other, to all clients.
fn deliver(mut command: Command, events: usize) {
    let mut child: Child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("it is installed");
    let mut line = String::new();
    BufReader::new(child.stdout.take().expect("it is piped"))
        .read_line(&mut line)
        .expect("it runs");
    let address: SocketAddr = line.trim().parse().expect("it says where it listens");
    let mut clients: Vec<_> = (0..CLIENTS).map(|_| Client::of(address)).collect();
    let mut stdin = child.stdin.take().expect("it is piped");
    for number in 0..events {
        writeln!(stdin, "{number:04}").expect("it runs");
        let end = format!("end of {number:04}");
        clients.iter_mut().for_each(|client| client.until(&end));
    }
    drop(stdin);
    let status = child.wait().expect("it was started");
    assert!(status.success(), "the server: {status}");
}

struct Client {
    socket: TcpStream,
    text: String,
}

impl Client {
    fn of(address: SocketAddr) -> Self {
        let mut socket = TcpStream::connect(address).expect("it listens");
        let timeout = std::time::Duration::from_secs(30);
        socket.set_read_timeout(Some(timeout)).expect("Linux allows it");
        socket.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n").expect("it listens");
        let mut client = Self { socket, text: String::new() };
        client.until(": ok"); // by then the stream waits
        client
    }

    fn until(&mut self, end: &str) {
        let mut buffer = [0; 4096];
        while !self.text.contains(end) {
            let length = self.socket.read(&mut buffer).expect("it comes within 30 s");
            assert!(length > 0, "the stream ended before {end:?}");
            self.text.push_str(&String::from_utf8_lossy(&buffer[..length]));
        }
        self.text.clear();
    }
}

fn program() -> PathBuf {
    std::env::current_exe().expect("a program has a path")
}

fn file(of: &str) -> PathBuf {
    std::env::temp_dir().join(format!("sse-gates-{of}-{}", std::process::id()))
}
