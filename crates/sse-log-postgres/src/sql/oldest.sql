-- The times of the two oldest events that are kept, by the clock of the log.
-- $1: the log.
SELECT extract(epoch FROM e.stored_at)::float8
FROM (SELECT * FROM sse_log_kept k WHERE k.log = $1 ORDER BY k.n DESC LIMIT 1) k
CROSS JOIN LATERAL (
    SELECT e.hi, e.lo, e.stored_at FROM sse_log_events e
    WHERE e.log = $1 AND e.block IS NOT NULL AND (e.hi, e.lo) > (k.floor_hi, k.floor_lo) AND (e.hi, e.lo) >= (k.first_hi, k.first_lo)
    ORDER BY e.hi, e.lo LIMIT 2
) e
ORDER BY e.hi, e.lo
