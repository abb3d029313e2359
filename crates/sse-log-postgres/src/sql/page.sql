-- `page` has the events after ($2, $3): at most $4 events, of $5 bytes or one event.
--
-- Some superseded events may not be removed yet. The query reads a limited number of rows, and if all of them are superseded, it returns the last,
-- so that the reader advances.
, page AS (
    SELECT p.*, row_number() OVER place AS nth, sum(octet_length(p.block)) OVER place AS bytes
    FROM (
        SELECT r.* FROM (
            SELECT q.*, bool_and(q.is_superseded) OVER () AS are_all, count(*) OVER () AS looked_at, row_number() OVER (ORDER BY q.hi, q.lo) AS row
            FROM (
                SELECT e.hi, e.lo, e.key, e.block, e.topics, e.key IS NOT NULL AND EXISTS (
                    SELECT FROM sse_log_events n
                    WHERE n.log = $1 AND n.key = e.key AND (n.hi, n.lo) > (e.hi, e.lo) AND n.hi < (SELECT below FROM log)
                ) AS is_superseded
                FROM (
                    SELECT log, hi, lo, key, block, NULL::text[] AS topics FROM ONLY sse_log_events
                    UNION ALL
                    SELECT log, hi, lo, key, block, topics FROM sse_log_topic_events
                ) e
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
), upto AS (SELECT NULL::bigint AS hi, NULL::bigint AS lo)
