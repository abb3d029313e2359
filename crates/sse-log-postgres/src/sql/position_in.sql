-- Returns what this transaction sees of the log $1: the newest event below which it sees all, and the transactions above it that it does not see.
-- If the log is missing, it returns no row.
WITH log AS MATERIALIZED (
    SELECT s.epoch, s.shift, s.locked_at IS NULL AS is_by_transaction, k.floor_hi, k.floor_lo, sse_log_below(s) AS below,
        sse_log_is_copied(s, s.xmin) OR sse_log_is_promoted(s) AS is_elsewhere
    FROM sse_logs s CROSS JOIN LATERAL (
        SELECT * FROM sse_log_kept k WHERE k.log = s.log ORDER BY k.n DESC LIMIT 1
    ) k
    WHERE s.log = $1
)
SELECT log.epoch, log.is_elsewhere, current_setting('transaction_isolation') AS isolation, log.floor_hi, log.floor_lo,
    newest.hi AS newest_hi, newest.lo AS newest_lo,
    -- The `hi` after which it has seen nothing, if it has seen events that no reader has yet.
    CASE WHEN top.hi >= log.below THEN top.hi + 1 END AS ends,
    ARRAY(SELECT x::text::bigint + log.shift FROM pg_snapshot_xip(pg_current_snapshot()) x) AS running,
    log.is_by_transaction AND EXISTS (
        SELECT FROM sse_log_events e
        WHERE e.log = $1 AND e.hi = pg_current_xact_id_if_assigned()::text::bigint + log.shift
    ) AS has_appended
FROM log
LEFT JOIN LATERAL (
    SELECT e.hi, e.lo FROM sse_log_events e
    WHERE e.log = $1 AND e.hi < log.below
    ORDER BY e.hi DESC, e.lo DESC LIMIT 1
) newest ON true
LEFT JOIN LATERAL (
    SELECT e.hi FROM sse_log_events e WHERE e.log = $1 ORDER BY e.hi DESC, e.lo DESC LIMIT 1
) top ON true
