-- Stores the floor and the counts of a log. The caller holds `sse_log_kept_lock`.
CREATE OR REPLACE FUNCTION sse_log_keep(kept sse_log_kept) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM sse_log_kept k WHERE k.log = kept.log AND k.n = kept.n;
    kept.n := kept.n + 1;
    INSERT INTO sse_log_kept SELECT kept.*;
END
$$;

-- Drops events over the limits, and idempotency keys (`max_keys`, `remembered`). It reads at most `budget` of each, so that it ends in time for any
-- number of rows. Returns true if more may be over the limits. It counts each row once, when the row has become readable: if no row is new, it has
-- nothing to do. `told` is the time of the log in the calling process. If another transaction drops events now, it waits for that
-- transaction if `waits`; otherwise it returns true.
CREATE OR REPLACE FUNCTION sse_log_let_go(
    in_log text, max_events bigint, max_bytes bigint, max_age interval, max_keys bigint, remembered interval, told timestamptz, budget bigint,
    waits boolean
) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    kept sse_log_kept;
    before sse_log_kept;
    below bigint;
    newest record;
    upto record;
    gone record;
    new record;
    cut record;
    start_hi bigint;
    start_lo bigint;
    has_more boolean := false;
BEGIN
    IF waits THEN
        PERFORM pg_advisory_xact_lock(sse_log_kept_lock(in_log));
    ELSIF NOT pg_try_advisory_xact_lock(sse_log_kept_lock(in_log)) THEN
        RETURN true;
    END IF;
    SELECT * INTO kept FROM sse_log_kept k WHERE k.log = in_log ORDER BY k.n DESC LIMIT 1;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    before := kept;
    -- All rows of the log are after this position.
    IF (kept.first_hi, kept.first_lo - 1) > (kept.floor_hi, kept.floor_lo) THEN
        start_hi := kept.first_hi;
        start_lo := kept.first_lo - 1;
    ELSE
        start_hi := kept.floor_hi;
        start_lo := kept.floor_lo;
    END IF;
    told := greatest(told, kept.latest);
    SELECT sse_log_below(s) INTO below FROM sse_logs s WHERE s.log = in_log;
    SELECT e.hi, e.lo INTO newest FROM sse_log_events e
    WHERE e.log = in_log AND e.hi < below ORDER BY e.hi DESC, e.lo DESC LIMIT 1;

    IF (newest.hi, newest.lo) > (kept.counted_hi, kept.counted_lo) THEN
        SELECT e.hi, e.lo INTO upto FROM sse_log_events e
        WHERE e.log = in_log AND (e.hi, e.lo) > (kept.counted_hi, kept.counted_lo) AND (e.hi, e.lo) < (newest.hi, newest.lo)
        ORDER BY e.hi, e.lo OFFSET budget - 1 LIMIT 1;
        IF FOUND THEN
            has_more := true;
        ELSE
            upto := newest;
        END IF;
        -- The superseded events. Among the events that were counted before, each key has one event at most, the newest.
        WITH latest AS (
            SELECT DISTINCT ON (e.key) e.key, e.hi, e.lo FROM sse_log_events e
            WHERE e.log = in_log AND e.key IS NOT NULL
                AND (e.hi, e.lo) > (kept.counted_hi, kept.counted_lo) AND (e.hi, e.lo) <= (upto.hi, upto.lo)
            ORDER BY e.key, e.hi DESC, e.lo DESC
        ), victims AS (
            SELECT o.hi, o.lo FROM latest n CROSS JOIN LATERAL (
                SELECT e.hi, e.lo FROM sse_log_events e
                WHERE e.log = in_log AND e.key = n.key AND (e.hi, e.lo) <= (kept.counted_hi, kept.counted_lo)
                    AND (e.hi, e.lo) > (start_hi, start_lo)
                ORDER BY e.hi DESC, e.lo DESC LIMIT 1
            ) o
            UNION ALL
            SELECT e.hi, e.lo FROM sse_log_events e JOIN latest n ON n.key = e.key
            WHERE e.log = in_log AND (e.hi, e.lo) > (kept.counted_hi, kept.counted_lo) AND (e.hi, e.lo) < (n.hi, n.lo)
        ), replaced AS (
            DELETE FROM sse_log_events e USING victims v WHERE e.log = in_log AND e.hi = v.hi AND e.lo = v.lo
            RETURNING e.hi, e.lo, octet_length(e.block) AS bytes
        )
        SELECT count(*) AS events, coalesce(sum(r.bytes), 0) AS bytes INTO gone FROM replaced r
        WHERE (r.hi, r.lo) <= (kept.counted_hi, kept.counted_lo);
        -- The remaining rows of deleted events.
        DELETE FROM sse_log_events e WHERE e.log = in_log AND e.block IS NULL AND (e.hi, e.lo) < (newest.hi, newest.lo)
            AND (e.hi, e.lo) > (start_hi, start_lo);
        SELECT count(e.block) AS events, coalesce(sum(octet_length(e.block)), 0) AS bytes INTO new FROM sse_log_events e
        WHERE e.log = in_log AND (e.hi, e.lo) > (kept.counted_hi, kept.counted_lo) AND (e.hi, e.lo) <= (upto.hi, upto.lo);
        kept.events := kept.events - gone.events + new.events;
        kept.bytes := kept.bytes - gone.bytes + new.bytes;
        kept.counted_hi := upto.hi;
        kept.counted_lo := upto.lo;
    END IF;

    -- The last of the oldest events that are too many, too large, or, like all events before them, too old. The newest event stays.
    SELECT o.hi, o.lo, o.nth, o.total INTO cut FROM (
        SELECT p.hi, p.lo, row_number() OVER oldest AS nth, sum(p.bytes) OVER oldest AS total, p.bytes,
            bool_and(p.stored_at < told - max_age) OVER oldest AS is_old
        FROM (
            SELECT e.hi, e.lo, octet_length(e.block) AS bytes, e.stored_at FROM sse_log_events e
            WHERE e.log = in_log AND e.block IS NOT NULL AND (e.hi, e.lo) > (start_hi, start_lo) AND (e.hi, e.lo) < (newest.hi, newest.lo)
                AND (e.hi, e.lo) <= (kept.counted_hi, kept.counted_lo)
            ORDER BY e.hi, e.lo
            LIMIT CASE
                WHEN kept.events > max_events OR kept.bytes > max_bytes THEN budget
                WHEN (
                    SELECT f.stored_at < told - max_age FROM sse_log_events f
                    WHERE f.log = in_log AND f.block IS NOT NULL AND (f.hi, f.lo) > (start_hi, start_lo)
                    ORDER BY f.hi, f.lo LIMIT 1
                ) THEN budget
                ELSE 0
            END
        ) p
        WINDOW oldest AS (ORDER BY p.hi, p.lo ROWS UNBOUNDED PRECEDING)
    ) o
    WHERE o.nth <= kept.events - max_events OR o.total - o.bytes < kept.bytes - max_bytes OR o.is_old
    ORDER BY o.hi DESC, o.lo DESC LIMIT 1;
    IF FOUND THEN
        DELETE FROM sse_log_events e WHERE e.log = in_log
            AND (e.hi, e.lo) > (start_hi, start_lo) AND (e.hi, e.lo) <= (cut.hi, cut.lo);
        start_hi := cut.hi;
        start_lo := cut.lo;
        kept.floor_hi := cut.hi;
        kept.floor_lo := cut.lo;
        kept.events := kept.events - cut.nth;
        kept.bytes := kept.bytes - cut.total;
        has_more := has_more OR cut.nth >= budget;
    END IF;
    IF (kept.counted_hi, kept.counted_lo, kept.floor_hi, kept.floor_lo)
        IS DISTINCT FROM (before.counted_hi, before.counted_lo, before.floor_hi, before.floor_lo) THEN
        SELECT e.hi, e.lo INTO new FROM sse_log_events e
        WHERE e.log = in_log AND (e.hi, e.lo) > (start_hi, start_lo) ORDER BY e.hi, e.lo LIMIT 1;
        -- An event that is stored late is above all readable events.
        IF FOUND AND new.hi < below THEN
            kept.first_hi := new.hi;
            kept.first_lo := new.lo;
        END IF;
    END IF;

    SELECT * INTO new FROM sse_log_forget(kept, max_keys, remembered, told, below, budget, waits);
    kept.keys_hi := new.hi;
    kept.keys_lo := new.lo;
    has_more := has_more OR new.has_more;
    IF kept IS DISTINCT FROM before OR told > kept.latest + interval '5 s' THEN
        kept.latest := told;
        kept.server_at := clock_timestamp();
        PERFORM sse_log_keep(kept);
    END IF;
    RETURN has_more;
END
$$;

-- Returns true if the readable events of a log are half as much again as its limits. It counts at most 20 000 rows, and takes the stored count for
-- the rows that were counted before.
CREATE OR REPLACE FUNCTION sse_log_is_far_over(in_log text, max_events bigint, max_bytes bigint) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    kept sse_log_kept;
    below bigint;
    new record;
BEGIN
    SELECT * INTO kept FROM sse_log_kept k WHERE k.log = in_log ORDER BY k.n DESC LIMIT 1;
    SELECT sse_log_below(s) INTO below FROM sse_logs s WHERE s.log = in_log;
    SELECT count(*) AS events, coalesce(sum(c.bytes), 0) AS bytes INTO new FROM (
        SELECT octet_length(e.block) AS bytes FROM sse_log_events e
        WHERE e.log = in_log AND (e.hi, e.lo) > (kept.counted_hi, kept.counted_lo) AND e.hi < below
        ORDER BY e.hi, e.lo LIMIT least(max_events / 2 + 1, 20000)
    ) c;
    RETURN kept.events + new.events > max_events + max_events / 2 OR kept.bytes + new.bytes > max_bytes + max_bytes / 2;
END
$$;

-- Forgets idempotency keys, the oldest first: the keys older than `remembered`, and, if `counts`, the keys over `max_keys`. Returns the position
-- before which there is no key.
CREATE OR REPLACE FUNCTION sse_log_forget(
    kept sse_log_kept, max_keys bigint, remembered interval, told timestamptz, below bigint, budget bigint, counts boolean,
    OUT hi bigint, OUT lo bigint, OUT has_more boolean
) LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    surplus record;
    cut record;
    gone bigint;
BEGIN
    hi := kept.keys_hi;
    lo := kept.keys_lo;
    has_more := false;
    IF counts THEN
        SELECT k.hi, k.lo INTO surplus FROM sse_log_keys k WHERE k.log = kept.log
            AND (k.hi, k.lo) >= (kept.keys_hi, kept.keys_lo) ORDER BY k.hi DESC, k.lo DESC OFFSET max_keys + 1 LIMIT 1;
    ELSE
        SELECT 0::bigint AS hi, 0::bigint AS lo INTO surplus;
    END IF;
    SELECT o.hi, o.lo, o.nth INTO cut FROM (
        SELECT p.hi, p.lo, row_number() OVER oldest AS nth, bool_and(p.is_old) OVER oldest AS goes FROM (
            SELECT k.hi, k.lo, k.stored_at < told - remembered OR coalesce((k.hi, k.lo) <= (surplus.hi, surplus.lo), false) AS is_old
            FROM sse_log_keys k WHERE k.log = kept.log AND (k.hi, k.lo) >= (kept.keys_hi, kept.keys_lo) AND k.hi < below
            ORDER BY k.hi, k.lo LIMIT budget
        ) p
        WINDOW oldest AS (ORDER BY p.hi, p.lo ROWS UNBOUNDED PRECEDING)
    ) o WHERE o.goes ORDER BY o.hi DESC, o.lo DESC LIMIT 1;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    -- This skips the keys that a transaction stores again now, and does not wait for them.
    DELETE FROM sse_log_keys k WHERE k.log = kept.log AND k.key = ANY (ARRAY(
        SELECT f.key FROM sse_log_keys f WHERE f.log = kept.log
            AND (f.hi, f.lo) >= (kept.keys_hi, kept.keys_lo) AND (f.hi, f.lo) <= (cut.hi, cut.lo)
        FOR UPDATE SKIP LOCKED
    ));
    GET DIAGNOSTICS gone = ROW_COUNT;
    IF gone = cut.nth THEN
        hi := cut.hi;
        lo := cut.lo;
        has_more := cut.nth >= budget;
    END IF;
END
$$;
