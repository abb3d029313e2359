-- What there is of the log $1, and its events after ($2, $3): so many ($4), of so many bytes ($5) unless it is one. The first row is the
-- bounds; all is from one snapshot, so that these held when the events were read. No row: there is no such log.
WITH log AS MATERIALIZED (
    SELECT s.epoch, s.is_finished, k.deletions, k.floor_hi, k.floor_lo, sse_log_below(s) AS below,
        pg_snapshot_xmax(pg_current_snapshot())::text::bigint + s.shift AS ahead, s.home <> sse_log_home() AS is_elsewhere
    FROM sse_logs s JOIN sse_log_kept k ON k.log = s.log
    WHERE s.log = $1
), page AS (
    SELECT p.*, row_number() OVER place AS nth, sum(octet_length(p.block)) OVER place AS bytes
    FROM (
        SELECT e.hi, e.lo, e.key, e.block FROM sse_log_events e
        WHERE e.log = $1 AND (e.hi, e.lo) > ($2, $3) AND e.hi < (SELECT below FROM log) AND e.block IS NOT NULL
            AND (e.key IS NULL OR NOT EXISTS (
                SELECT FROM sse_log_events n
                WHERE n.log = $1 AND n.key = e.key AND (n.hi, n.lo) > (e.hi, e.lo) AND n.hi < (SELECT below FROM log)
            ))
        ORDER BY e.hi, e.lo
        LIMIT $4
    ) p
    WINDOW place AS (ORDER BY p.hi, p.lo ROWS UNBOUNDED PRECEDING)
)
SELECT log.epoch, log.is_finished, log.deletions, log.floor_hi, log.floor_lo, log.below,
    top.hi AS top_hi, (top.hi >= log.ahead OR log.is_elsewhere) AS is_restored,
    oldest.hi AS oldest_hi, oldest.lo AS oldest_lo, newest.hi AS newest_hi, newest.lo AS newest_lo,
    NULL::bigint AS hi, NULL::bigint AS lo, NULL::text AS key, NULL::bytea AS block
FROM log
LEFT JOIN LATERAL (
    SELECT e.hi FROM sse_log_events e WHERE e.log = $1 ORDER BY e.hi DESC, e.lo DESC LIMIT 1
) top ON true
LEFT JOIN LATERAL (
    SELECT e.hi, e.lo FROM sse_log_events e
    WHERE e.log = $1 AND e.hi < log.below
    ORDER BY e.hi DESC, e.lo DESC LIMIT 1
) newest ON true
LEFT JOIN LATERAL (
    SELECT e.hi, e.lo FROM sse_log_events e
    WHERE e.log = $1 AND (e.hi, e.lo) > (log.floor_hi, log.floor_lo) AND e.hi < log.below AND e.block IS NOT NULL
        AND (e.key IS NULL OR NOT EXISTS (
            SELECT FROM sse_log_events n
            WHERE n.log = $1 AND n.key = e.key AND (n.hi, n.lo) > (e.hi, e.lo) AND n.hi < log.below
        ))
    ORDER BY e.hi, e.lo LIMIT 1
) oldest ON true
UNION ALL
SELECT NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, page.hi, page.lo, page.key, page.block
FROM page
WHERE page.bytes <= $5 OR page.nth = 1
ORDER BY hi NULLS FIRST, lo
