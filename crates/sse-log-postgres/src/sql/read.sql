-- Returns the bounds of the log $1, and its events after ($2, $3): at most $4 events, of $5 bytes or one event. The first row has the bounds. All rows
-- are from one snapshot, so that the bounds held when the events were read. If the log is missing, the query returns no row.
--
-- Some superseded events may not be removed yet. The query reads a limited number of rows, and if all of them are superseded, it returns the last,
-- so that the reader advances.
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
), page AS (
    SELECT p.*, row_number() OVER place AS nth, sum(octet_length(p.block)) OVER place AS bytes
    FROM (
        SELECT r.* FROM (
            SELECT q.*, bool_and(q.is_superseded) OVER () AS are_all, count(*) OVER () AS looked_at, row_number() OVER (ORDER BY q.hi, q.lo) AS row
            FROM (
                SELECT e.hi, e.lo, e.key, e.block, e.key IS NOT NULL AND EXISTS (
                    SELECT FROM sse_log_events n
                    WHERE n.log = $1 AND n.key = e.key AND (n.hi, n.lo) > (e.hi, e.lo) AND n.hi < (SELECT below FROM log)
                ) AS is_superseded
                FROM sse_log_events e
                WHERE e.log = $1 AND (e.hi, e.lo) > ((SELECT after_hi FROM log), (SELECT after_lo FROM log))
                    AND e.hi < (SELECT below FROM log) AND e.block IS NOT NULL
                ORDER BY e.hi, e.lo
                LIMIT CASE WHEN $4::bigint > 0 THEN greatest($4::bigint, 64) ELSE 0 END
            ) q
        ) r
        WHERE NOT r.is_superseded OR (r.are_all AND r.row = r.looked_at AND r.looked_at >= greatest($4::bigint, 64))
        ORDER BY r.hi, r.lo
        LIMIT $4::bigint
    ) p
    WINDOW place AS (ORDER BY p.hi, p.lo ROWS UNBOUNDED PRECEDING)
)
SELECT log.epoch, log.is_finished, log.is_by_lock, log.deletions, log.floor_hi, log.floor_lo, log.below, log.told,
    top.hi AS top_hi, top.lo AS top_lo,
    log.is_elsewhere OR coalesce(top.hi >= log.ahead OR (top.hi, top.lo) < (log.counted_hi, log.counted_lo), log.counted_hi > 0) AS is_restored,
    coalesce(oldest.hi, first.hi) AS oldest_hi, coalesce(oldest.lo, first.lo) AS oldest_lo, newest.hi AS newest_hi, newest.lo AS newest_lo,
    NULL::bigint AS hi, NULL::bigint AS lo, NULL::text AS key, NULL::bytea AS block
FROM log
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
SELECT NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, page.hi, page.lo, page.key, page.block
FROM page
WHERE page.bytes <= $5::bigint OR page.nth = 1
ORDER BY hi NULLS FIRST, lo
