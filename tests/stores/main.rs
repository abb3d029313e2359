//! Every requirement and every store: a test. What a requirement asks for is in `tests/suite/store`, how an engine is started in `tests/kit`,
//! and opened in `tests/engines`.
// Longer than other files: each requirement and each engine has a line.

mod engines;

/// The requirements of every store.
macro_rules! every_store {
    ($engine:ident) => {
        crate::engines::requirements! {
            $engine:
            order::{
                gives_events_in_order_to_every_reader,
                stores_a_batch_one_right_after_the_other,
                gives_no_position_twice,
            }
            pages::{
                gives_back_what_it_was_given,
                has_bounds_before_the_first_event,
                gives_at_least_one_event_however_large,
                respects_the_limits_of_a_page,
                finds_what_comes_before_the_last,
                finds_the_floor_before_more_than_there_are,
                reads_backwards_from_any_position,
            }
            following::{
                gives_followers_what_is_there_and_then_what_comes,
                gives_followers_large_events,
                is_followed_and_left_many_times,
            }
            idempotency::{
                stores_an_event_once_whose_idempotency_key_is_known,
                stores_of_a_batch_what_is_not_known_yet,
                stores_an_event_once_that_many_bring_at_the_same_time,
                gives_the_first_answer_whatever_became_of_the_event,
                stores_an_event_again_in_a_new_epoch,
            }
            keys::{
                has_the_newest_event_of_each_key,
                keeps_little_of_a_key_that_changes_often,
            }
            deleting::{
                forgets_an_event_without_a_gap,
                changes_nothing_if_there_is_no_event_to_delete,
                tells_followers_of_a_deletion,
            }
            finishing::{
                is_finished_for_good,
                can_be_finished_before_its_first_event,
                tells_followers_of_a_finish,
                is_finished_with_its_last_events,
                is_finished_once_with_events_that_are_known,
                is_finished_if_all_its_last_events_are_known,
                is_finished_by_many_at_the_same_time,
                ends_every_stream_after_its_last_events,
            }
            epochs::{
                begins_an_epoch_by_compare_and_set,
                keeps_its_events_in_a_new_epoch,
                is_of_one_epoch_for_all_who_open_it,
                tells_followers_of_a_new_epoch,
            }
            retention::{
                retains_so_many_events,
                retains_so_many_bytes,
                retains_for_so_long_and_keeps_the_newest,
                tells_when_its_oldest_event_becomes_too_old,
                skips_nothing_unseen_when_it_is_trimmed_between_pages,
                skips_nothing_unseen_when_it_is_trimmed_while_followed,
            }
            streaming::{
                streams_the_same_events_to_the_clients_of_every_process,
                resumes_a_client_in_another_process,
                reads_what_is_behind_the_tail,
                waits_for_what_another_process_is_ahead_with,
                resumes_a_merge_in_another_process,
                sends_a_snapshot_that_another_process_is_ahead_with,
                appends_once_what_is_tried_again_in_another_process,
                gives_those_who_come_late_the_newest_of_each_key,
            }
            writing::{
                takes_events_from_code_that_cannot_wait,
                takes_a_copy_of_a_log_of_large_events,
            }
            gaps::{
                never_misses_a_gap_after_trimming,
                takes_no_deleted_event_for_a_gap,
                tells_of_ids_that_nobody_gave,
                tells_every_stream_of_a_new_epoch,
                ends_every_stream_of_a_finished_log,
            }
        }
    };
}

/// The requirements of a store that keeps the topics of its events.
macro_rules! every_store_of_topics {
    ($engine:ident) => {
        crate::engines::requirements! {
            $engine:
            topics::{
                gives_back_the_topics_of_its_events,
                reads_by_topics_what_a_filter_over_the_log_would_give,
                forgets_the_topics_of_events_that_are_gone,
                skips_nothing_of_topics_that_is_trimmed_between_pages,
            }
            topics_streaming::{
                streams_the_events_of_topics_from_behind_the_tail,
                resumes_another_set_of_topics_in_another_process,
                gives_no_event_of_other_topics_by_its_id,
                gives_events_without_topics_to_no_stream_of_a_log_that_requires_them,
                ends_a_stream_of_topics_after_the_last_events_of_its_topics,
            }
        }
    };
}

/// The requirements of a store that knows when its events were stored.
macro_rules! every_store_of_times {
    ($engine:ident) => {
        crate::engines::requirements! {
            $engine:
            times::{
                finds_what_was_stored_within_a_time,
                begins_a_first_visit_with_what_was_stored_within_a_time,
            }
        }
    };
}

/// The requirements of a store that does not return an event from the moment at which another has superseded it, and that stores the last events
/// and the end in one step. No store need do so.
macro_rules! every_exact_store {
    ($engine:ident) => {
        crate::engines::requirements! {
            $engine:
            model::{
                is_what_a_list_in_memory_would_be,
            }
            finishing_at_once::{
                takes_no_event_between_its_last_events_and_the_end,
            }
        }
    };
}

/// The requirements of a store whose events outlive the engine's end.
macro_rules! every_durable_store {
    ($engine:ident) => {
        crate::engines::requirements! {
            $engine:
            durable::{
                remembers_after_reopening,
                stays_finished_after_reopening,
                resumes_a_client_after_reopening,
                survives_kill_9,
            }
        }
    };
}

/// The requirements of a store that is a server.
macro_rules! every_networked_store {
    ($engine:ident) => {
        crate::engines::requirements! {
            $engine:
            networked::{
                goes_on_soon_after_a_restart,
                waits_out_a_pause,
                says_so_if_writes_are_refused,
                does_not_open_if_the_engine_is_down,
                waits_for_it_if_the_options_say_so,
                is_followed_once_for_all_clients,
            }
            bad_network::{
                goes_on_after_its_connection_is_cut,
                says_what_is_known_of_an_append_when_it_is_cut_off,
            }
        }
    };
}

mod nats {
    every_store!(Nats);
    every_store_of_topics!(Nats);
    every_store_of_times!(Nats);
    every_durable_store!(Nats);
    every_networked_store!(Nats);
}

mod nats_2_10 {
    every_store!(Nats210);
    every_store_of_topics!(Nats210);
    every_store_of_times!(Nats210);
    every_durable_store!(Nats210);
    every_networked_store!(Nats210);
}

mod redb {
    every_store!(Redb);
    every_store_of_topics!(Redb);
    every_store_of_times!(Redb);
    every_exact_store!(Redb);
    every_durable_store!(RedbProcess);
}

mod redb_process {
    every_store_of_topics!(RedbProcess);
    every_store_of_times!(RedbProcess);
}

mod postgres {
    every_store!(Postgres);
    every_store_of_topics!(Postgres);
    every_store_of_times!(Postgres);
    every_exact_store!(Postgres);
    every_durable_store!(Postgres);
    every_networked_store!(Postgres);
}

mod postgres_16 {
    every_store!(Postgres16);
    every_store_of_topics!(Postgres16);
    every_store_of_times!(Postgres16);
    every_exact_store!(Postgres16);
    every_durable_store!(Postgres16);
    every_networked_store!(Postgres16);
}

mod redis {
    every_store!(Redis);
    every_store_of_topics!(Redis);
    every_store_of_times!(Redis);
    every_exact_store!(Redis);
    every_durable_store!(Redis);
    every_networked_store!(Redis);
}

mod valkey {
    every_store!(Valkey);
    every_store_of_topics!(Valkey);
    every_store_of_times!(Valkey);
    every_exact_store!(Valkey);
    every_durable_store!(Valkey);
    every_networked_store!(Valkey);
}

mod scripted {
    every_store!(Scripted);
    every_store_of_topics!(Scripted);
    every_store_of_times!(Scripted);
    every_exact_store!(Scripted);
    every_durable_store!(Scripted);
}

mod scripted_sparse {
    every_store!(ScriptedSparse);
    every_store_of_topics!(ScriptedSparse);
    every_store_of_times!(ScriptedSparse);
    every_exact_store!(ScriptedSparse);
}
