//! The methods that set the options of a feed.

/// Implements the methods of `StreamOptions` for a feed. Takes an expression that makes such a feed, for the examples.
macro_rules! options {
    ($feed:literal) => {
        options! { $feed;
            keep_alive(silence: Duration) "Duration::from_secs(15)";
            keep_alive_event(event_type: EventType) "EventType::from_static(\"alive\")";
            retry(retry: Duration) "Duration::from_secs(1)";
            start_at(start: Start) "Start::Oldest";
            position_event(event_type: EventType) "EventType::from_static(\"position\")";
            on_gap(on_gap: OnGap) "OnGap::Live";
            on_error(on_error: impl Fn(&Error) + Send + Sync + 'static) "|error| eprintln!(\"{error}\")";
            error_event(event: impl Fn(&Error) -> Event + Send + Sync + 'static) "|_| Event::typed(\"failed\", \"\")";
            cut_on_error() "";
            ends_when_caught_up() "";
            poll_parameter(name: impl Into<String>) "\"poll\"";
            last_event_id_parameter(name: impl Into<String>) "\"after\"";
            shutdown(shutdown: &Shutdown) "&Shutdown::new()";
            buffered_events(events: usize) "4096";
            remembered_ids(ids: usize) "100_000";
            late_notifications(late: Duration) "Duration::from_secs(5)";
            observer(observer: impl Observer) "Metrics::default()";
        }
    };
    ($feed:literal; $($name:ident($($argument:ident: $type:ty)?) $example:literal;)*) => {
        /// Replaces all options of the feed with these. The shutdown of its log, or of the logs of a merge, still ends its streams.
        ///
        /// ```
        /// use std::time::Duration;
        /// # use sse_core::{EventLog, StreamContext};
        /// use sse_core::StreamOptions;
        ///
        /// let options = StreamOptions::new().retry(Duration::from_secs(1));
        #[doc = concat!("let feed = ", $feed, ".with(&options);")]
        /// assert!(format!("{feed:?}").contains("retry: Some(1s)"));
        /// ```
        #[must_use]
        pub fn with(mut self, options: &StreamOptions) -> Self {
            self.options.chosen = Some(Box::new(options.clone()));
            self
        }

        $(
            #[doc = concat!("Sets [`StreamOptions::", stringify!($name), "`].")]
            ///
            /// ```
            /// # use std::time::Duration;
            /// # use sse_core::{Event, EventLog, EventType, Observer, OnGap, Shutdown, Start, StreamContext, StreamOptions};
            /// # #[derive(Default)]
            /// # struct Metrics;
            /// # impl Observer for Metrics {}
            #[doc = concat!("let feed = ", $feed, ".", stringify!($name), "(", $example, ");")]
            ///
            #[doc = concat!("let options = StreamOptions::new().", stringify!($name), "(", $example, ");")]
            #[doc = concat!("let same = ", $feed, ".with(&options);")]
            /// assert_eq!(format!("{feed:?}"), format!("{same:?}"));
            /// ```
            #[must_use]
            pub fn $name(mut self $(, $argument: $type)?) -> Self {
                let options = self.options.chosen.get_or_insert_default();
                **options = std::mem::take(&mut **options).$name($($argument)?);
                self
            }
        )*
    };
}
