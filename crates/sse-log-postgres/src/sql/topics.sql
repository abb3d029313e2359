-- `page` has the events after ($2, $3) that have a topic of $6, and, if $7, those without topics: at most $4 events, of $5 bytes or one event.
-- Each topic is a list of its own in the indexes. The query reads at most $8 events of each list, and $4 events without topics: the page has all
-- events up to the lowest end of a list that it did not read to its end.
, found AS MATERIALIZED (
    -- An event once for each of its topics. `is_cut` marks the last event of a list that may continue.
    SELECT l.hi, l.lo, l.key, l.block, l.topics, l.nth = $8::bigint AS is_cut
    FROM unnest($6::text[]) AS wanted (topic) CROSS JOIN LATERAL (
        SELECT o.*, row_number() OVER (ORDER BY o.hi, o.lo) AS nth FROM (
            SELECT e.hi, e.lo, e.key, e.block, e.topics FROM (
                SELECT log, hi, lo, key, block, topics, 1 AS place, topics[1] AS topic FROM sse_log_topic_events
                UNION ALL
                SELECT log, hi, lo, key, block, topics, 2, topics[2] FROM sse_log_topic_events
                UNION ALL
                SELECT log, hi, lo, key, block, topics, 3, topics[3] FROM sse_log_topic_events
                UNION ALL
                SELECT log, hi, lo, key, block, topics, 4, topics[4] FROM sse_log_topic_events
                UNION ALL
                SELECT log, hi, lo, key, block, topics, 5, topics[5] FROM sse_log_topic_events
                UNION ALL
                SELECT log, hi, lo, key, block, topics, 6, topics[6] FROM sse_log_topic_events
                UNION ALL
                SELECT log, hi, lo, key, block, topics, 7, topics[7] FROM sse_log_topic_events
                UNION ALL
                SELECT log, hi, lo, key, block, topics, 8, topics[8] FROM sse_log_topic_events
            ) e
            WHERE e.log = $1 AND e.topic = wanted.topic AND e.place <= (SELECT sse_log_places())
                AND (e.hi, e.lo) > ((SELECT after_hi FROM log), (SELECT after_lo FROM log)) AND e.hi < (SELECT below FROM log)
                AND e.block IS NOT NULL
            ORDER BY e.hi, e.lo LIMIT $8::bigint
        ) o
    ) l
    UNION ALL
    SELECT o.*, row_number() OVER (ORDER BY o.hi, o.lo) = $4::bigint FROM (
        SELECT e.hi, e.lo, e.key, e.block, NULL::text[] AS topics FROM ONLY sse_log_events e
        WHERE $7::boolean AND e.log = $1 AND (e.hi, e.lo) > ((SELECT after_hi FROM log), (SELECT after_lo FROM log))
            AND e.hi < (SELECT below FROM log) AND e.block IS NOT NULL
        ORDER BY e.hi, e.lo LIMIT $4::bigint
    ) o
), complete AS (
    -- The lowest end of a list that was cut.
    SELECT f.hi, f.lo FROM found f WHERE f.is_cut ORDER BY f.hi, f.lo LIMIT 1
), page AS (
    SELECT p.*, row_number() OVER place AS nth, sum(octet_length(p.block)) OVER place AS bytes
    FROM (
        SELECT DISTINCT ON (f.hi, f.lo) f.hi, f.lo, f.key, f.block, f.topics FROM found f
        WHERE coalesce((f.hi, f.lo) <= ((SELECT hi FROM complete), (SELECT lo FROM complete)), true) AND (f.key IS NULL OR NOT EXISTS (
            SELECT FROM sse_log_events n
            WHERE n.log = $1 AND n.key = f.key AND (n.hi, n.lo) > (f.hi, f.lo) AND n.hi < (SELECT below FROM log)
        ))
        ORDER BY f.hi, f.lo
        LIMIT $4::bigint
    ) p
    WINDOW place AS (ORDER BY p.hi, p.lo ROWS UNBOUNDED PRECEDING)
), upto AS (
    -- The position up to which the page has all events; no row if it has all that are readable. A full page ends at its last event.
    SELECT u.hi, u.lo FROM (
        SELECT c.hi, c.lo FROM complete c
        UNION ALL
        SELECT l.hi, l.lo FROM (
            SELECT p.hi, p.lo, p.nth, p.bytes, lead(p.bytes) OVER (ORDER BY p.hi, p.lo) AS next FROM page p
        ) l
        WHERE (l.nth = 1 OR l.bytes <= $5::bigint) AND (l.next > $5::bigint OR l.nth = $4::bigint)
    ) u
    ORDER BY u.hi, u.lo LIMIT 1
)
