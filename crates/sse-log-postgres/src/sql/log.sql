-- `log` is the state of the log $1; no row if the log is missing. All rows of a statement are from one snapshot, so that the bounds held when the
-- events were read.
WITH log AS MATERIALIZED (
    SELECT s.epoch, s.is_finished, s.locked_at IS NOT NULL AS is_by_lock, k.deletions, k.floor_hi, k.floor_lo, k.counted_hi, k.counted_lo,
        -- All rows of the log are after `from`, and the requested rows are after `after`: the query does not scan the dead rows before them.
        CASE WHEN (k.first_hi, k.first_lo - 1) > (k.floor_hi, k.floor_lo) THEN k.first_hi ELSE k.floor_hi END AS from_hi,
        CASE WHEN (k.first_hi, k.first_lo - 1) > (k.floor_hi, k.floor_lo) THEN k.first_lo - 1 ELSE k.floor_lo END AS from_lo,
        CASE WHEN (k.first_hi, k.first_lo - 1) > ($2::bigint, $3::bigint) THEN k.first_hi ELSE $2::bigint END AS after_hi,
        CASE WHEN (k.first_hi, k.first_lo - 1) > ($2::bigint, $3::bigint) THEN k.first_lo - 1 ELSE $3::bigint END AS after_lo,
        sse_log_below(s) AS below, pg_snapshot_xmax(pg_current_snapshot())::text::bigint + s.shift AS ahead,
        sse_log_is_copied(s, s.xmin) OR sse_log_is_promoted(s) OR s.is_synchronous <> sse_log_is_synchronous() AS is_elsewhere,
        extract(epoch FROM k.latest + greatest(clock_timestamp() - k.server_at, interval '0'))::float8 AS told
    FROM sse_logs s CROSS JOIN LATERAL (
        SELECT * FROM sse_log_kept k WHERE k.log = s.log ORDER BY k.n DESC LIMIT 1
    ) k
    WHERE s.log = $1
)
