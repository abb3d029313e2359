-- Returns the state of all logs in $1 by which a process notices their changes.
SELECT s.log, s.epoch, s.is_finished, k.deletions, top.hi, top.lo
FROM unnest($1::text[]) AS wanted (log)
JOIN sse_logs s ON s.log = wanted.log
CROSS JOIN LATERAL (
    SELECT * FROM sse_log_kept k WHERE k.log = s.log ORDER BY k.n DESC LIMIT 1
) k
LEFT JOIN LATERAL (
    SELECT e.hi, e.lo FROM sse_log_events e WHERE e.log = s.log ORDER BY e.hi DESC, e.lo DESC LIMIT 1
) top ON true
