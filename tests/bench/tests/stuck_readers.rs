//! The memory that a log holds for a reader beside that of the framework.

use std::path::Path;
use std::time::Duration;

use sse_bench::case::{Case, Measuring};
use sse_conformance::suite::framework::Framework;

#[path = "../../requirements/frameworks.rs"]
mod frameworks;

/// The subjects, as the macro that stamps out the tests looks for them.
mod memory {
    use super::*;

    /// The bytes that the log may hold for a reader.
    const MORE: i64 = 1000;

    pub(crate) async fn holds_less_than_a_kilobyte_more_for_an_idle_reader(framework: &Framework) {
        let more = more(framework, Case::IdleOnLog, Case::IdleOnBody).await;
        println!("{}: an idle reader: {more} B more", framework.name);
        assert!(more < MORE, "{more} B more");
    }

    pub(crate) async fn holds_less_than_a_kilobyte_more_for_a_stuck_reader(framework: &Framework) {
        let more = more(framework, Case::StuckOnLog, Case::StuckOnBody).await;
        println!("{}: a stuck reader: {more} B more", framework.name);
        assert!(more < MORE, "{more} B more");
    }

    /// Of frameworks that copy what they write into buffers of their own. How much of these is full when nothing moves any more is
    /// not the same each time, so the bound is what is far from a page: nobody holds another copy of that.
    pub(crate) async fn holds_no_page_for_a_stuck_reader(framework: &Framework) {
        let more = more(framework, Case::StuckOnLog, Case::StuckOnBody).await;
        println!("{}: a stuck reader: {more} B more", framework.name);
        assert!(more < 16 * 1024, "{more} B more");
    }

    async fn more(framework: &Framework, log: Case, body: Case) -> i64 {
        let measuring = Measuring {
            program: Path::new(env!("CARGO_BIN_EXE_sse-bench")),
            framework: *framework,
            readers: 500, // places are made by powers of two, so that few are empty
            events: 20_000,
            quiet: Duration::from_millis(300),
        };
        (measuring.cost(log).await - measuring.cost(body).await).allocated
    }
}

macro_rules! readers {
    ($long:tt $module:ident $framework:ident: $($does:ident)*) => {
        mod $module {
            crate::frameworks::requirements! {
                $long $framework: memory::{ holds_less_than_a_kilobyte_more_for_an_idle_reader }
            }
            $(stuck!($long $framework $does);)*
        }
    };
}

macro_rules! stuck {
    ($long:tt $framework:ident writes_without_copies) => {
        crate::frameworks::requirements! {
            $long $framework: memory::{ holds_less_than_a_kilobyte_more_for_a_stuck_reader }
        }
    };
    ($long:tt $framework:ident copies_what_it_writes) => {
        crate::frameworks::requirements! {
            $long $framework: memory::{ holds_no_page_for_a_stuck_reader }
        }
    };
    ($long:tt $framework:ident $other:ident) => {};
}
sse_conformance::for_each_framework!(readers);
