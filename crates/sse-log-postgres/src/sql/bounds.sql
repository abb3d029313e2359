-- The first row has the bounds of the log, and the other rows are the events of `page`.
SELECT log.epoch, log.is_finished, log.is_by_lock, log.deletions, log.floor_hi, log.floor_lo, log.below, log.told,
    top.hi AS top_hi, top.lo AS top_lo,
    log.is_elsewhere OR coalesce(top.hi >= log.ahead OR (top.hi, top.lo) < (log.counted_hi, log.counted_lo), log.counted_hi > 0) AS is_restored,
    coalesce(oldest.hi, first.hi) AS oldest_hi, coalesce(oldest.lo, first.lo) AS oldest_lo, newest.hi AS newest_hi, newest.lo AS newest_lo,
    upto.hi AS upto_hi, upto.lo AS upto_lo,
    NULL::bigint AS hi, NULL::bigint AS lo, NULL::text AS key, NULL::bytea AS block, NULL::text[] AS topics
FROM log
LEFT JOIN upto ON true
LEFT JOIN LATERAL (
    SELECT e.hi, e.lo FROM sse_log_events e WHERE e.log = $1 ORDER BY e.hi DESC, e.lo DESC LIMIT 1
) top ON true
LEFT JOIN LATERAL (
    SELECT e.hi, e.lo FROM sse_log_events e
    WHERE e.log = $1 AND e.hi < log.below
    ORDER BY e.hi DESC, e.lo DESC LIMIT 1
) newest ON true
LEFT JOIN LATERAL (
    SELECT q.hi, q.lo FROM (
        SELECT e.hi, e.lo, e.key FROM sse_log_events e
        WHERE e.log = $1 AND (e.hi, e.lo) > (log.from_hi, log.from_lo)
            AND e.hi < log.below AND e.block IS NOT NULL
        ORDER BY e.hi, e.lo LIMIT 1000
    ) q
    WHERE q.key IS NULL OR NOT EXISTS (
        SELECT FROM sse_log_events n
        WHERE n.log = $1 AND n.key = q.key AND (n.hi, n.lo) > (q.hi, q.lo) AND n.hi < log.below
    )
    ORDER BY q.hi, q.lo LIMIT 1
) oldest ON true
LEFT JOIN LATERAL (
    SELECT e.hi, e.lo FROM sse_log_events e
    WHERE e.log = $1 AND (e.hi, e.lo) > (log.from_hi, log.from_lo) AND e.hi < log.below AND e.block IS NOT NULL
    ORDER BY e.hi, e.lo LIMIT 1
) first ON true
UNION ALL
SELECT NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL,
    page.hi, page.lo, page.key, page.block, page.topics
FROM page
WHERE page.bytes <= $5::bigint OR page.nth = 1
ORDER BY hi NULLS FIRST, lo
