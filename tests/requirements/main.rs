//! Every requirement and every framework: a test.
// Longer than other files: each requirement has a line.

mod border_properties;
mod busy;
mod corpus;
mod cut_goodbye;
mod cut_late;
mod decode_vectors;
mod drained;
mod empty_frames;
mod encode_program;
mod encode_vectors;
mod failing;
mod finished;
mod flood;
mod frameworks;
mod from_stream;
mod gaps;
mod hello;
mod leaving;
mod limits;
mod merged;
mod original;
mod outside;
mod panicking;
mod parser;
mod process;
mod properties;
mod proxy;
mod refused;
mod replay;
mod request;
mod response;
mod same_bytes;
mod served_options;
mod served_source;
mod shutdown;
mod spans;
mod stalled;
mod topics;
mod vectors;
mod watched;
mod wire;
mod wire_h2;

/// What every framework is held to.
macro_rules! every_framework {
    ($framework:ident) => {
        crate::frameworks::requirements! {
            $framework:
            original::{
                fetches_only_if_there_is_a_last_event_id,
                hands_parameters_and_headers_to_the_source,
                leaves_it_to_the_handler_whom_to_refuse,
                reports_an_error_and_ends_so_that_the_client_comes_back,
                tells_of_a_gap_that_the_source_tells_of,
                sends_what_a_context_is_given_until_it_closes,
                sends_through_a_channel_from_elsewhere,
                refuses_what_is_sent_after_the_end_of_a_stream,
            }
            failing::{
                ends_cleanly_after_whole_events_when_a_stream_fails,
                sends_the_event_of_a_failure_and_ends_cleanly,
            }
            panicking::{
                takes_a_panic_for_an_error_and_goes_on_serving_others,
            }
            from_stream::{
                streams_what_the_handler_has_as_a_stream,
                tells_of_a_gap_if_a_client_of_a_stream_comes_back,
                drops_the_stream_of_a_handler_when_its_client_leaves,
            }
            refused::{
                answers_an_error_of_a_handler_with_its_status,
                ends_a_stream_whose_feed_is_away_so_that_the_client_comes_back,
                refuses_a_stream_whose_feed_is_invalid,
                refuses_a_stream_that_begins_by_times_if_its_log_keeps_none,
            }
            request::{
                resumes_after_the_last_event_id_in_the_header,
                resumes_after_the_last_event_id_in_the_query,
                takes_the_header_if_the_query_has_an_id_too,
                begins_live_on_a_first_visit,
                begins_with_some_history_if_the_feed_says_so,
                begins_with_what_came_within_the_time_that_the_feed_says,
                continues_after_as_many_events_as_a_client_has_counted,
                comes_back_from_before_its_first_event_if_it_was_given_an_id,
                tells_of_a_gap_whatever_a_client_sends_as_its_id,
                tells_of_a_gap_if_the_log_was_created_again,
                tells_of_a_gap_if_events_are_no_longer_kept,
                lets_a_page_poll,
                streams_on_whatever_a_client_accepts,
                starts_over_as_a_first_visit_if_the_id_is_invalid,
                takes_undefined_in_the_query_for_a_first_visit,
            }
            gaps::{
                gives_events_along_with_a_reset_however_busy_the_log_is,
                gives_events_after_each_gap_of_a_client_that_falls_behind,
                delivers_the_whole_of_a_large_snapshot_and_then_goes_on,
                begins_a_first_visit_with_the_state_and_then_goes_on,
                answers_a_gap_with_a_status_if_that_is_chosen,
            }
            busy::{
                begins_a_first_visit_without_a_gap_however_busy_the_log_is,
                lets_a_page_poll_however_busy_the_log_is,
            }
            finished::{
                ends_for_good_once_the_log_is_finished,
                ends_for_good_after_the_last_events_of_a_log,
                gives_a_first_visit_to_a_finished_log_its_events_and_then_the_end,
            }
            topics::{
                gives_a_stream_the_events_of_its_topics_and_resumes_it,
                changes_the_topics_of_open_streams,
                tells_a_quiet_client_its_position,
                streams_the_topics_that_the_program_is_asked_for,
            }
            response::{
                says_in_its_headers_what_it_is,
                takes_a_post_without_a_body,
                delivers_a_long_event_that_was_posted,
                begins_with_a_comment_and_the_reconnection_time,
                spreads_the_reconnection_times_of_clients,
                keeps_alive_with_one_comment_line,
                keeps_alive_with_an_event_if_the_feed_has_one,
                answers_head_with_the_headers_alone,
                speaks_http_1_0_without_chunks,
                speaks_http_2,
                answers_204_if_a_gap_is_to_be_the_end,
            }
            replay::{
                sends_what_was_missed_in_few_writes,
            }
            merged::{
                resumes_two_logs_by_one_id,
            }
            served_source::{
                gets_a_long_replay_once_and_then_what_is_published,
                resumes_in_the_middle_of_a_source,
                tells_of_a_gap_if_an_id_is_outside_of_a_source,
                ends_a_response_whose_fetch_fails_and_makes_the_next_one_whole,
            }
            served_options::{
                keeps_as_many_events_as_the_program_is_told,
                keeps_as_many_events_of_a_store_and_does_at_a_gap_as_the_program_is_told,
                ends_at_a_gap_if_the_program_is_told_to_stop,
                goes_on_live_after_a_gap_if_the_program_is_told_so,
                keeps_alive_as_often_as_the_program_is_told,
            }
            leaving::{
                frees_the_subscription_of_an_idle_client_that_closes,
                frees_the_subscription_of_an_idle_client_that_crashes,
                frees_the_subscription_of_a_busy_client_that_closes,
                frees_the_subscription_of_a_busy_client_that_crashes,
                frees_the_subscription_of_an_idle_http2_stream_that_is_cancelled,
                frees_the_subscription_of_a_busy_http2_stream_that_is_cancelled,
                frees_the_subscriptions_of_an_http2_connection_that_closes,
                drops_a_fetch_in_progress_when_its_client_leaves,
                drops_the_closure_of_a_stream_when_its_client_leaves,
            }
            shutdown::{
                ends_every_stream_after_whole_events_and_then_the_server,
                ends_every_http2_stream_after_whole_events_and_then_the_server,
                is_not_held_up_by_clients_that_do_not_read,
                ends_a_stream_at_once_that_begins_after_the_shutdown,
                ends_its_streams_over_a_window_and_others_at_once_and_then_the_server,
                says_goodbye_with_an_event_if_the_feed_has_one,
            }
            drained::{
                has_ended_soon_after_its_window_with_a_thousand_streams,
                has_ended_soon_after_its_window_with_a_thousand_http2_streams,
            }
            spans::{
                has_a_span_for_each_stream,
            }
            limits::{
                refuses_streams_over_each_limit_and_lets_them_in_later,
                ends_a_stream_after_its_longest_life,
            }
            empty_frames::{
                holds_no_memory_for_two_million_empty_data_frames,
            }
            stalled::{
                delays_nobody_by_clients_that_do_not_read,
                holds_little_for_a_client_that_does_not_read,
            }
        }
    };
}

/// What those are held to that do what not all do: see `sse_conformance::for_each_framework`.
macro_rules! those_that {
    (shows_raw_headers $framework:ident) => {
        crate::frameworks::requirements! {
            $framework: request::{ tells_of_a_gap_for_an_id_that_is_not_utf_8 }
        }
    };
    (compresses $framework:ident) => {
        crate::frameworks::requirements! {
            $framework: response::{ is_not_held_back_by_compression }
        }
    };
    (cancels_handlers $framework:ident) => {
        crate::frameworks::requirements! {
            $framework: leaving::{ drops_a_handler_in_progress_when_its_client_leaves }
        }
    };
    (cuts_off_stalled_clients $framework:ident) => {
        crate::frameworks::requirements! {
            $framework: stalled::{ cuts_off_a_client_that_does_not_read_and_lets_it_resume }
        }
    };
    (breaks_off_over_http_1 $framework:ident) => {
        crate::frameworks::requirements! {
            $framework:
            failing::{
                breaks_the_response_off_after_whole_events,
                breaks_the_response_off_after_the_event_of_a_failure,
            }
            cut_late::{
                delivers_a_burst_to_a_slow_client_before_it_breaks_off,
                delivers_all_that_it_took_for_a_client_that_does_not_read_before_it_breaks_off,
            }
            cut_goodbye::{ breaks_a_stream_off_after_its_goodbye }
        }
    };
    (ends_failed_responses_over_http_1 $framework:ident) => {
        crate::frameworks::requirements! {
            $framework:
            failing::{ ends_cleanly_though_it_is_to_break_off }
            cut_goodbye::{ ends_a_stream_cleanly_though_its_goodbye_is_to_be_broken_off }
        }
    };
    (breaks_off_over_http_2 $framework:ident) => {
        crate::frameworks::requirements! {
            $framework:
            failing::{
                resets_an_http2_stream_after_whole_events,
                resets_an_http2_stream_after_the_event_of_a_failure,
            }
            cut_late::{ delivers_a_burst_to_a_slow_client_before_it_resets_an_http2_stream }
            cut_goodbye::{ resets_an_http2_stream_after_its_goodbye }
        }
    };
    (ends_failed_responses_over_http_2 $framework:ident) => {
        crate::frameworks::requirements! {
            $framework:
            failing::{ ends_an_http2_stream_cleanly_though_it_is_to_break_off }
            cut_goodbye::{ ends_an_http2_stream_cleanly_though_its_goodbye_is_to_be_broken_off }
        }
    };
    // `tests/bench` measures these.
    (writes_without_copies $framework:ident) => {};
    (copies_what_it_writes $framework:ident) => {};
}

macro_rules! column {
    ($long:tt $module:ident $framework:ident: $($does:ident)*) => {
        mod $module {
            every_framework!($framework);
            $(those_that!($does $framework);)*
        }
    };
}
sse_conformance::for_each_framework!(column);
