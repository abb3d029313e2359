-- Returns the identity of the server, and whether any log has changed. Each change draws from the sequence, and may become visible as long as a
-- transaction runs that ran at the time of the draw.
SELECT pg_is_in_recovery() AS is_standby, sse_log_cluster() AS cluster, sse_log_timeline() AS timeline,
    coalesce(pg_sequence_last_value(to_regclass('sse_log_positions')), 0) AS drawn,
    pg_snapshot_xmin(s.now)::text::bigint AS running_from, pg_snapshot_xmax(s.now)::text::bigint AS running_to,
    coalesce(current_setting('sse_log.session', true), '') AS session
FROM (SELECT pg_current_snapshot() AS now) s
