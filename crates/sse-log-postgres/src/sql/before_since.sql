-- Returns a position before all events of the log $1 that were stored at the time $2 or later, in the time of the log. If there is none, it returns the
-- newest position. If the log is missing, it returns no row.
--
-- Times rise with positions, except those of transactions that ran at the same time. So the query goes by halves, and then looks at 1000 rows before.
WITH RECURSIVE log AS MATERIALIZED (
    SELECT sse_log_below(s) AS below, k.floor_hi, k.floor_lo,
        CASE WHEN (k.first_hi, k.first_lo - 1) > (k.floor_hi, k.floor_lo) THEN k.first_hi ELSE k.floor_hi END AS from_hi,
        CASE WHEN (k.first_hi, k.first_lo - 1) > (k.floor_hi, k.floor_lo) THEN k.first_lo - 1 ELSE k.floor_lo END AS from_lo
    FROM sse_logs s CROSS JOIN LATERAL (
        SELECT * FROM sse_log_kept k WHERE k.log = s.log ORDER BY k.n DESC LIMIT 1
    ) k
    WHERE s.log = $1
), halves AS (
    -- A position as one number. The event at `old` is older, and the first event from `new` on is not.
    SELECT log.from_hi::numeric * 281474976710656 + log.from_lo AS old, newest.hi::numeric * 281474976710656 + newest.lo + 1 AS new
    FROM log CROSS JOIN LATERAL (
        SELECT e.hi, e.lo FROM sse_log_events e
        WHERE e.log = $1 AND (e.hi, e.lo) > (log.from_hi, log.from_lo) AND e.hi < log.below
        ORDER BY e.hi DESC, e.lo DESC LIMIT 1
    ) newest
    UNION ALL
    SELECT CASE WHEN e.is_old THEN e.hi::numeric * 281474976710656 + e.lo ELSE h.old END, CASE WHEN e.is_old THEN h.new ELSE h.middle END
    FROM (SELECT h.old, h.new, div(h.old + h.new, 2) AS middle FROM halves h WHERE h.new - h.old > 1) h
    CROSS JOIN LATERAL (
        SELECT e.hi, e.lo, e.stored_at < to_timestamp($2) AS is_old FROM sse_log_events e
        WHERE e.log = $1
            AND (e.hi, e.lo) >= (div(h.middle, 281474976710656)::bigint, mod(h.middle, 281474976710656)::bigint)
        ORDER BY e.hi, e.lo LIMIT 1
    ) e
), bound AS MATERIALIZED (
    SELECT div(h.old, 281474976710656)::bigint AS hi, mod(h.old, 281474976710656)::bigint AS lo
    FROM halves h ORDER BY h.new - h.old LIMIT 1
)
SELECT coalesce(late.hi, bound.hi, log.floor_hi) AS hi, coalesce(late.lo - 1, bound.lo, log.floor_lo) AS lo
FROM log LEFT JOIN bound ON true LEFT JOIN LATERAL (
    SELECT r.hi, r.lo FROM (
        SELECT e.hi, e.lo, e.stored_at FROM sse_log_events e
        WHERE e.log = $1 AND (e.hi, e.lo) > (log.from_hi, log.from_lo) AND (e.hi, e.lo) <= (bound.hi, bound.lo)
        ORDER BY e.hi DESC, e.lo DESC LIMIT 1000
    ) r
    WHERE r.stored_at >= to_timestamp($2)
    ORDER BY r.hi, r.lo LIMIT 1
) late ON true
