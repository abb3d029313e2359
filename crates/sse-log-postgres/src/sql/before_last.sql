-- Returns the position before the newest events of the log $1 that fit: $2 events, and $3 bytes, but at least one event. If all events fit, it
-- returns the floor. If the log is missing, it returns no row. The query reads a limited number of rows, superseded events included.
WITH log AS MATERIALIZED (
    SELECT k.floor_hi, k.floor_lo, sse_log_below(s) AS below,
        CASE WHEN (k.first_hi, k.first_lo - 1) > (k.floor_hi, k.floor_lo) THEN k.first_hi ELSE k.floor_hi END AS from_hi,
        CASE WHEN (k.first_hi, k.first_lo - 1) > (k.floor_hi, k.floor_lo) THEN k.first_lo - 1 ELSE k.floor_lo END AS from_lo
    FROM sse_logs s CROSS JOIN LATERAL (
        SELECT * FROM sse_log_kept k WHERE k.log = s.log ORDER BY k.n DESC LIMIT 1
    ) k
    WHERE s.log = $1
)
SELECT coalesce(before.hi, log.floor_hi) AS hi, coalesce(before.lo, log.floor_lo) AS lo, log.below, top.hi AS top_hi
FROM log LEFT JOIN LATERAL (
    SELECT w.hi, w.lo FROM (
        SELECT q.hi, q.lo, row_number() OVER newest AS place, sum(q.bytes) OVER newest AS bytes
        FROM (
            SELECT e.hi, e.lo, octet_length(e.block) AS bytes, e.key IS NOT NULL AND EXISTS (
                SELECT FROM sse_log_events n
                WHERE n.log = $1 AND n.key = e.key AND (n.hi, n.lo) > (e.hi, e.lo) AND n.hi < log.below
            ) AS is_superseded
            FROM sse_log_events e
            WHERE e.log = $1 AND (e.hi, e.lo) > (log.from_hi, log.from_lo) AND e.hi < log.below AND e.block IS NOT NULL
            ORDER BY e.hi DESC, e.lo DESC
            LIMIT CASE WHEN $2::bigint < 1000000000 THEN 2 * $2::bigint + 1000 ELSE $2::bigint END
        ) q
        WHERE NOT q.is_superseded
        WINDOW newest AS (ORDER BY q.hi DESC, q.lo DESC ROWS UNBOUNDED PRECEDING)
    ) w
    WHERE w.place > $2::bigint OR (w.place > 1 AND w.bytes > $3::bigint)
    ORDER BY w.hi DESC, w.lo DESC LIMIT 1
) before ON true
LEFT JOIN LATERAL (
    SELECT e.hi FROM sse_log_events e WHERE e.log = $1 ORDER BY e.hi DESC, e.lo DESC LIMIT 1
) top ON true
