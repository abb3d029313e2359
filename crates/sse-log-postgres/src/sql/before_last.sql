-- The position before the last $2 events of the log $1, or the floor where there are fewer. No row: there is no such log.
WITH log AS MATERIALIZED (
    SELECT k.floor_hi, k.floor_lo, sse_log_below(s) AS below
    FROM sse_logs s JOIN sse_log_kept k ON k.log = s.log
    WHERE s.log = $1
)
SELECT coalesce(before.hi, log.floor_hi), coalesce(before.lo, log.floor_lo)
FROM log
LEFT JOIN LATERAL (
    SELECT e.hi, e.lo FROM sse_log_events e
    WHERE e.log = $1 AND (e.hi, e.lo) > (log.floor_hi, log.floor_lo) AND e.hi < log.below AND e.block IS NOT NULL
        AND (e.key IS NULL OR NOT EXISTS (
            SELECT FROM sse_log_events n
            WHERE n.log = $1 AND n.key = e.key AND (n.hi, n.lo) > (e.hi, e.lo) AND n.hi < log.below
        ))
    ORDER BY e.hi DESC, e.lo DESC
    OFFSET $2 LIMIT 1
) before ON true
