//! What a client sees of the core: through its public interface alone, on a paused clock.

mod support;

mod answers;
mod breaking_off;
mod chunks;
mod contexts;
mod contexts_end;
mod copying;
mod finish;
mod gaps;
mod keep_alive;
mod last_wakers;
mod leaving;
mod merging;
mod merging_gaps;
mod opening;
mod refusals;
mod retained;
mod seam;
mod seam_bounds;
mod seam_failures;
mod sharing;
mod shutdowns;
mod simulated_log;
mod simulated_source;
mod simulated_store;
mod simulation;
mod snapshots;
mod source_gaps;
mod start;
mod store_appends;
mod store_behind;
mod store_follower;
mod store_strangers;
mod threads;
mod tracing_events;
