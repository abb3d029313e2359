-- Lets go of what is over the limits; looks at some thousands of events, and of keys, at most, so that it ends in time however much there is.
-- Answers whether there may be more to do. Each row is counted once, when it has become readable: where nothing is new there is nothing
-- to do.
CREATE OR REPLACE FUNCTION sse_log_retain(
    in_log text, max_events bigint, max_bytes bigint, max_age interval, remembered interval
) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    kept sse_log_kept;
    below bigint;
    newest record;
    upto record;
    keys bigint;
    gone record;
    new record;
    cut record;
    is_all boolean;
BEGIN
    -- Said twice, since one that was forgotten may be given anew meanwhile.
    DELETE FROM sse_log_keys k
    WHERE k.log = in_log AND k.stored_at < clock_timestamp() - remembered AND k.key = ANY (ARRAY(
        SELECT f.key FROM sse_log_keys f
        WHERE f.log = in_log AND f.stored_at < clock_timestamp() - remembered
        ORDER BY f.stored_at LIMIT 5000
    ));
    GET DIAGNOSTICS keys = ROW_COUNT;
    SELECT sse_log_below(s) INTO below FROM sse_logs s WHERE s.log = in_log;
    SELECT e.hi, e.lo INTO newest FROM sse_log_events e
    WHERE e.log = in_log AND e.hi < below ORDER BY e.hi DESC, e.lo DESC LIMIT 1;
    IF NOT FOUND THEN
        RETURN keys >= 5000;
    END IF;
    SELECT * INTO kept FROM sse_log_kept k WHERE k.log = in_log FOR UPDATE;

    IF (newest.hi, newest.lo) > (kept.counted_hi, kept.counted_lo) THEN
        SELECT e.hi, e.lo INTO upto FROM sse_log_events e
        WHERE e.log = in_log AND (e.hi, e.lo) > (kept.counted_hi, kept.counted_lo) AND (e.hi, e.lo) < (newest.hi, newest.lo)
        ORDER BY e.hi, e.lo OFFSET 4999 LIMIT 1;
        IF NOT FOUND THEN
            upto := newest;
        END IF;
        -- Events whose place a newer one of their key took.
        WITH latest AS (
            SELECT DISTINCT ON (e.key) e.key, e.hi, e.lo FROM sse_log_events e
            WHERE e.log = in_log AND e.key IS NOT NULL
                AND (e.hi, e.lo) > (kept.counted_hi, kept.counted_lo) AND (e.hi, e.lo) <= (upto.hi, upto.lo)
            ORDER BY e.key, e.hi DESC, e.lo DESC
        ), replaced AS (
            DELETE FROM sse_log_events e USING latest n
            WHERE e.log = in_log AND e.key = n.key AND (e.hi, e.lo) < (n.hi, n.lo)
            RETURNING e.hi, e.lo, octet_length(e.block) AS bytes
        )
        SELECT count(*) AS events, coalesce(sum(r.bytes), 0) AS bytes INTO gone FROM replaced r
        WHERE (r.hi, r.lo) <= (kept.counted_hi, kept.counted_lo);
        -- What is left of those that were deleted.
        DELETE FROM sse_log_events e WHERE e.log = in_log AND e.block IS NULL AND (e.hi, e.lo) < (newest.hi, newest.lo);
        SELECT count(e.block) AS events, coalesce(sum(octet_length(e.block)), 0) AS bytes INTO new FROM sse_log_events e
        WHERE e.log = in_log AND (e.hi, e.lo) > (kept.counted_hi, kept.counted_lo) AND (e.hi, e.lo) <= (upto.hi, upto.lo);
        kept.events := kept.events - gone.events + new.events;
        kept.bytes := kept.bytes - gone.bytes + new.bytes;
        kept.counted_hi := upto.hi;
        kept.counted_lo := upto.lo;
        UPDATE sse_log_kept k
        SET counted_hi = kept.counted_hi, counted_lo = kept.counted_lo, events = kept.events, bytes = kept.bytes
        WHERE k.log = in_log;
    END IF;

    is_all := keys < 5000 AND (kept.counted_hi, kept.counted_lo) >= (newest.hi, newest.lo);

    -- The last of the oldest that are too many, too large, or, like all before them, too old. The newest stays.
    SELECT o.hi, o.lo, o.nth, o.total INTO cut FROM (
        SELECT p.hi, p.lo, row_number() OVER oldest AS nth, sum(p.bytes) OVER oldest AS total, p.bytes,
            bool_and(p.stored_at < clock_timestamp() - max_age) OVER oldest AS is_old
        FROM (
            SELECT e.hi, e.lo, octet_length(e.block) AS bytes, e.stored_at FROM sse_log_events e
            WHERE e.log = in_log AND e.block IS NOT NULL
                AND (e.hi, e.lo) > (kept.floor_hi, kept.floor_lo) AND (e.hi, e.lo) < (newest.hi, newest.lo)
                AND (e.hi, e.lo) <= (kept.counted_hi, kept.counted_lo)
            ORDER BY e.hi, e.lo
            LIMIT CASE
                WHEN kept.events > max_events OR kept.bytes > max_bytes THEN 5000
                WHEN (
                    SELECT f.stored_at < clock_timestamp() - max_age FROM sse_log_events f
                    WHERE f.log = in_log AND f.block IS NOT NULL AND (f.hi, f.lo) > (kept.floor_hi, kept.floor_lo)
                    ORDER BY f.hi, f.lo LIMIT 1
                ) THEN 5000
                ELSE 0
            END
        ) p
        WINDOW oldest AS (ORDER BY p.hi, p.lo ROWS UNBOUNDED PRECEDING)
    ) o
    WHERE o.nth <= kept.events - max_events OR o.total - o.bytes < kept.bytes - max_bytes OR o.is_old
    ORDER BY o.hi DESC, o.lo DESC LIMIT 1;
    IF NOT FOUND THEN
        RETURN NOT is_all;
    END IF;
    DELETE FROM sse_log_events e WHERE e.log = in_log AND (e.hi, e.lo) <= (cut.hi, cut.lo);
    UPDATE sse_log_kept k
    SET floor_hi = cut.hi, floor_lo = cut.lo, events = k.events - cut.nth, bytes = k.bytes - cut.total
    WHERE k.log = in_log;
    RETURN cut.nth >= 5000 OR NOT is_all;
END
$$;

COMMENT ON TABLE sse_logs IS 'sse-log-postgres, schema 2';
