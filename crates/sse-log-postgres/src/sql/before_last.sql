-- The position before the newest events of the log $1 that fit: $2 events, and $3 bytes, though one event in any case. The floor if all
-- fit. No row: there is no such log.
WITH log AS MATERIALIZED (
    SELECT k.floor_hi, k.floor_lo, sse_log_below(s) AS below
    FROM sse_logs s JOIN sse_log_kept k ON k.log = s.log
    WHERE s.log = $1
)
SELECT coalesce(before.hi, log.floor_hi), coalesce(before.lo, log.floor_lo)
FROM log
LEFT JOIN LATERAL (
    SELECT last.hi, last.lo FROM (
        SELECT e.hi, e.lo, row_number() OVER newest AS place, sum(octet_length(e.block)) OVER newest AS bytes
        FROM sse_log_events e
        WHERE e.log = $1 AND (e.hi, e.lo) > (log.floor_hi, log.floor_lo) AND e.hi < log.below AND e.block IS NOT NULL
            AND (e.key IS NULL OR NOT EXISTS (
                SELECT FROM sse_log_events n
                WHERE n.log = $1 AND n.key = e.key AND (n.hi, n.lo) > (e.hi, e.lo) AND n.hi < log.below
            ))
        WINDOW newest AS (ORDER BY e.hi DESC, e.lo DESC ROWS UNBOUNDED PRECEDING)
    ) last
    WHERE last.place > $2 OR (last.place > 1 AND last.bytes > $3)
    ORDER BY last.hi DESC, last.lo DESC
    LIMIT 1
) before ON true
