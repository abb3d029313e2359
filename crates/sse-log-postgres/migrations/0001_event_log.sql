-- Event logs: what `sse-log-postgres` keeps, and how it is written. It can be applied any number of times, and be copied into the
-- migrations of an application; `Options::migrations` then says that it is there already.
--
-- All of it is in the first schema of the search path.

-- One row for each log. Changed when a log is finished, begins a new epoch, or changes its ordering; so it is hardly ever locked.
CREATE TABLE IF NOT EXISTS sse_logs (
    log         text COLLATE "C" PRIMARY KEY CHECK (log ~ '^[A-Za-z0-9_-]{1,64}$'),
    -- Which life of the log the ids are from.
    epoch       text NOT NULL,
    is_finished boolean NOT NULL DEFAULT false,
    -- Added to the ids of transactions. It is raised where these begin anew: in another cluster, after a dump was restored there.
    shift       bigint NOT NULL DEFAULT 0,
    -- With `Ordering::ByLock`: the `hi` of all events from then on.
    locked_at   bigint,
    -- The system identifier of the cluster it is in; 0 where that may not be known.
    cluster     bigint NOT NULL
);

-- One row for each log. Changed whenever events are let go of.
CREATE TABLE IF NOT EXISTS sse_log_kept (
    log        text COLLATE "C" PRIMARY KEY,
    -- The position up to which events were let go of: whoever is below it has missed some.
    floor_hi   bigint NOT NULL DEFAULT 0,
    floor_lo   bigint NOT NULL DEFAULT 0,
    -- How often an event was deleted.
    deletions  bigint NOT NULL DEFAULT 0,
    -- How many events and bytes there are up to this position, so that nobody needs to count them again. After rows were removed by
    -- hand, set these four to 0.
    counted_hi bigint NOT NULL DEFAULT 0,
    counted_lo bigint NOT NULL DEFAULT 0,
    events     bigint NOT NULL DEFAULT 0,
    bytes      bigint NOT NULL DEFAULT 0
);

-- The events of all logs. Without a foreign key: each append would have to lock the row of its log.
CREATE TABLE IF NOT EXISTS sse_log_events (
    log       text COLLATE "C" NOT NULL,
    -- The position: the transaction that stored it, shifted, and a number that rises.
    hi        bigint NOT NULL CHECK (hi < 281474976710656), -- 2^48, so that ids are short
    lo        bigint NOT NULL CHECK (lo < 281474976710656),
    -- Of the events with one key the newest is enough.
    key       text COLLATE "C",
    -- As it goes out; NULL once it was deleted.
    block     bytea,
    stored_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (log, hi, lo)
);
CREATE INDEX IF NOT EXISTS sse_log_events_key ON sse_log_events (log, key, hi, lo) WHERE key IS NOT NULL;
CREATE INDEX IF NOT EXISTS sse_log_events_deleted ON sse_log_events (log, hi, lo) WHERE block IS NULL;

CREATE SEQUENCE IF NOT EXISTS sse_log_positions;

-- Idempotency keys, and the events that they brought.
CREATE TABLE IF NOT EXISTS sse_log_keys (
    log       text COLLATE "C" NOT NULL,
    key       text COLLATE "C" NOT NULL,
    hi        bigint NOT NULL,
    lo        bigint NOT NULL,
    stored_at timestamptz NOT NULL,
    PRIMARY KEY (log, key)
);
CREATE INDEX IF NOT EXISTS sse_log_keys_stored_at ON sse_log_keys (log, stored_at);

-- The advisory lock that appends to a log share, and that whoever finishes it has alone. Not a lock on its row: hundreds who share one
-- write to the row, each.
CREATE OR REPLACE FUNCTION sse_log_lock(in_log text) RETURNS bigint LANGUAGE sql STABLE AS $$
    SELECT hashtextextended(in_log, 'sse_logs'::regclass::oid::bigint)
$$;

-- Below this `hi` no event will come any more, and so those there are can be read. A transaction that still runs may have a lower id than
-- one that has ended; so may one that has written nothing for the log yet. In a log that is finished nothing will come at all; and with
-- a lock events come in their order.
CREATE OR REPLACE FUNCTION sse_log_below(l sse_logs) RETURNS bigint LANGUAGE sql STABLE AS $$
    SELECT CASE
        WHEN l.is_finished OR l.locked_at IS NOT NULL THEN 281474976710656
        ELSE pg_snapshot_xmin(pg_current_snapshot())::text::bigint + l.shift
    END
$$;

-- The cluster that this is, where that may be known.
CREATE OR REPLACE FUNCTION sse_log_cluster() RETURNS bigint LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN (SELECT system_identifier FROM pg_control_system());
EXCEPTION WHEN insufficient_privilege OR undefined_function OR feature_not_supported THEN
    RETURN 0;
END
$$;

-- Whether this is another cluster than the one that gave the newest positions: it would give them again.
CREATE OR REPLACE FUNCTION sse_log_is_restored(l sse_logs) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT (l.cluster <> 0 AND sse_log_cluster() NOT IN (0, l.cluster))
        OR EXISTS (
            SELECT FROM sse_log_events e
            WHERE e.log = l.log AND e.hi >= pg_snapshot_xmax(pg_current_snapshot())::text::bigint + l.shift
        )
$$;

-- Creates the log where it is missing, and has it be as it should: ordered like this, with positions above those there are.
CREATE OR REPLACE FUNCTION sse_log_open(in_log text, new_epoch text, by_lock boolean) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    l sse_logs;
    top bigint;
    is_restored boolean;
BEGIN
    SELECT * INTO l FROM sse_logs s WHERE s.log = in_log;
    IF NOT FOUND THEN
        INSERT INTO sse_log_kept (log) VALUES (in_log) ON CONFLICT DO NOTHING;
        INSERT INTO sse_logs (log, epoch, cluster) VALUES (in_log, new_epoch, sse_log_cluster()) ON CONFLICT DO NOTHING;
        SELECT * INTO l FROM sse_logs s WHERE s.log = in_log;
    END IF;
    IF by_lock = (l.locked_at IS NOT NULL) AND NOT sse_log_is_restored(l) THEN
        RETURN;
    END IF;

    -- Nobody has appended what has not come to its end.
    PERFORM pg_advisory_xact_lock(sse_log_lock(in_log));
    SELECT * INTO l FROM sse_logs s WHERE s.log = in_log;
    is_restored := sse_log_is_restored(l);
    SELECT greatest(max(e.hi), l.locked_at) INTO top FROM sse_log_events e WHERE e.log = in_log;
    IF is_restored OR (l.locked_at IS NOT NULL AND NOT by_lock) THEN
        -- Every transaction that can still append comes after all there is.
        l.shift := greatest(l.shift, top + 1 - pg_snapshot_xmin(pg_current_snapshot())::text::bigint);
    END IF;
    IF is_restored THEN
        l.epoch := new_epoch;
        l.cluster := sse_log_cluster();
    END IF;
    IF by_lock AND (l.locked_at IS NULL OR is_restored) THEN
        l.locked_at := greatest(top, pg_current_xact_id()::text::bigint + l.shift);
    ELSIF NOT by_lock THEN
        l.locked_at := NULL;
    END IF;
    UPDATE sse_logs s SET epoch = l.epoch, shift = l.shift, locked_at = l.locked_at, cluster = l.cluster WHERE s.log = in_log;
END
$$;

-- Stores events one right after the other; answers where each is, or nothing where the log is finished. `keys` and `idempotency_keys` have
-- an element for each event, or are NULL where no event has one.
CREATE OR REPLACE FUNCTION sse_log_append(
    in_log text, blocks bytea[], keys text[], idempotency_keys text[], remembered interval
) RETURNS TABLE (epoch text, hi bigint, lo bigint) LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    l sse_logs;
    floor record;
    at bigint;
    next bigint;
    known record;
BEGIN
    -- What is seen must outlive a crash: the next transaction would be given the same id.
    IF current_setting('synchronous_commit') = 'off' THEN
        PERFORM set_config('synchronous_commit', 'on', true);
    END IF;
    PERFORM pg_advisory_xact_lock_shared(sse_log_lock(in_log));
    IF current_setting('transaction_isolation') = 'read committed' THEN
        SELECT * INTO l FROM sse_logs s WHERE s.log = in_log;
    ELSE
        -- The snapshot may be from before the log was finished: then this is an error.
        SELECT * INTO l FROM sse_logs s WHERE s.log = in_log FOR SHARE;
    END IF;
    IF NOT FOUND THEN
        RAISE no_data_found USING MESSAGE = format('there is no event log named %L', in_log);
    END IF;
    IF l.is_finished THEN
        RETURN;
    END IF;
    IF l.locked_at IS NULL THEN
        at := pg_current_xact_id()::text::bigint + l.shift;
    ELSE
        PERFORM pg_advisory_xact_lock(~sse_log_lock(in_log));
        at := l.locked_at;
    END IF;

    IF idempotency_keys IS NULL THEN
        RETURN QUERY
            INSERT INTO sse_log_events AS e (log, hi, lo, key, block)
            SELECT in_log, at, nextval('sse_log_positions'), new.key, new.block
            FROM unnest(blocks, keys) WITH ORDINALITY AS new (block, key, place)
            ORDER BY new.place
            RETURNING l.epoch, e.hi, e.lo;
        RETURN;
    END IF;

    SELECT k.floor_hi, k.floor_lo INTO floor FROM sse_log_kept k WHERE k.log = in_log;
    FOR i IN 1 .. cardinality(blocks) LOOP
        IF idempotency_keys[i] IS NULL THEN
            next := nextval('sse_log_positions');
        ELSE
            -- Whoever stores an event with this key now is waited for.
            INSERT INTO sse_log_keys AS k (log, key, hi, lo, stored_at)
            VALUES (in_log, idempotency_keys[i], at, nextval('sse_log_positions'), clock_timestamp())
            ON CONFLICT (log, key) DO UPDATE SET hi = excluded.hi, lo = excluded.lo, stored_at = excluded.stored_at
            WHERE k.stored_at < clock_timestamp() - remembered OR (k.hi, k.lo) <= (floor.floor_hi, floor.floor_lo)
            RETURNING k.lo INTO next;
            IF NOT FOUND THEN
                SELECT k.hi, k.lo INTO STRICT known FROM sse_log_keys k WHERE k.log = in_log AND k.key = idempotency_keys[i];
                RETURN QUERY SELECT l.epoch, known.hi, known.lo;
                CONTINUE;
            END IF;
        END IF;
        INSERT INTO sse_log_events (log, hi, lo, key, block) VALUES (in_log, at, next, keys[i], blocks[i]);
        RETURN QUERY SELECT l.epoch, at, next;
    END LOOP;
END
$$;

-- Says that the newest event is the last, once all who append now have come to their end.
CREATE OR REPLACE FUNCTION sse_log_finish(in_log text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(sse_log_lock(in_log));
    UPDATE sse_logs SET is_finished = true WHERE log = in_log AND NOT is_finished;
END
$$;

-- Forgets an event. Its row stays until there are newer ones, since its position may be the newest.
CREATE OR REPLACE FUNCTION sse_log_delete(in_log text, in_hi bigint, in_lo bigint) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    kept sse_log_kept;
    victim sse_log_events;
    gone record;
BEGIN
    SELECT * INTO kept FROM sse_log_kept k WHERE k.log = in_log FOR UPDATE;
    SELECT * INTO victim FROM sse_log_events e
    WHERE e.log = in_log AND e.hi = in_hi AND e.lo = in_lo AND e.block IS NOT NULL;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    -- With it go those that it took the place of: they must not come back.
    WITH victims AS (
        SELECT e.hi, e.lo, octet_length(e.block) AS bytes FROM sse_log_events e
        WHERE e.log = in_log AND e.hi = in_hi AND e.lo = in_lo
        UNION
        SELECT e.hi, e.lo, octet_length(e.block) FROM sse_log_events e
        WHERE e.log = in_log AND e.key = victim.key AND (e.hi, e.lo) < (in_hi, in_lo)
    ), forgotten AS (
        UPDATE sse_log_events e SET block = NULL, key = NULL FROM victims v
        WHERE e.log = in_log AND e.hi = v.hi AND e.lo = v.lo AND e.block IS NOT NULL
        RETURNING e.hi, e.lo, v.bytes
    )
    SELECT count(*) AS events, coalesce(sum(f.bytes), 0) AS bytes INTO gone FROM forgotten f
    WHERE (f.hi, f.lo) <= (kept.counted_hi, kept.counted_lo);
    UPDATE sse_log_kept k
    SET deletions = k.deletions + 1, events = k.events - gone.events, bytes = k.bytes - gone.bytes
    WHERE k.log = in_log;
END
$$;

-- Lets go of what is over the limits, of some thousands of events at most. Answers whether there may be more to do. Each row is counted
-- once, when it has become readable: where nothing is new there is nothing to do.
CREATE OR REPLACE FUNCTION sse_log_retain(
    in_log text, max_events bigint, max_bytes bigint, max_age interval, remembered interval
) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    kept sse_log_kept;
    below bigint;
    newest record;
    gone record;
    new record;
    cut record;
BEGIN
    DELETE FROM sse_log_keys k WHERE k.log = in_log AND k.stored_at < clock_timestamp() - remembered;
    SELECT sse_log_below(s) INTO below FROM sse_logs s WHERE s.log = in_log;
    SELECT e.hi, e.lo INTO newest FROM sse_log_events e
    WHERE e.log = in_log AND e.hi < below ORDER BY e.hi DESC, e.lo DESC LIMIT 1;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    SELECT * INTO kept FROM sse_log_kept k WHERE k.log = in_log FOR UPDATE;

    IF (newest.hi, newest.lo) > (kept.counted_hi, kept.counted_lo) THEN
        -- Events whose place a newer one of their key took.
        WITH latest AS (
            SELECT DISTINCT ON (e.key) e.key, e.hi, e.lo FROM sse_log_events e
            WHERE e.log = in_log AND e.key IS NOT NULL
                AND (e.hi, e.lo) > (kept.counted_hi, kept.counted_lo) AND e.hi < below
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
        WHERE e.log = in_log AND (e.hi, e.lo) > (kept.counted_hi, kept.counted_lo) AND (e.hi, e.lo) <= (newest.hi, newest.lo);
        kept.events := kept.events - gone.events + new.events;
        kept.bytes := kept.bytes - gone.bytes + new.bytes;
        kept.counted_hi := newest.hi;
        kept.counted_lo := newest.lo;
        UPDATE sse_log_kept k
        SET counted_hi = kept.counted_hi, counted_lo = kept.counted_lo, events = kept.events, bytes = kept.bytes
        WHERE k.log = in_log;
    END IF;

    -- The last of the oldest that are too many, too large, or, like all before them, too old. The newest stays.
    SELECT o.hi, o.lo, o.nth, o.total INTO cut FROM (
        SELECT p.hi, p.lo, row_number() OVER oldest AS nth, sum(p.bytes) OVER oldest AS total, p.bytes,
            bool_and(p.stored_at < clock_timestamp() - max_age) OVER oldest AS is_old
        FROM (
            SELECT e.hi, e.lo, octet_length(e.block) AS bytes, e.stored_at FROM sse_log_events e
            WHERE e.log = in_log AND e.block IS NOT NULL
                AND (e.hi, e.lo) > (kept.floor_hi, kept.floor_lo) AND (e.hi, e.lo) < (newest.hi, newest.lo)
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
        RETURN false;
    END IF;
    DELETE FROM sse_log_events e WHERE e.log = in_log AND (e.hi, e.lo) <= (cut.hi, cut.lo);
    UPDATE sse_log_kept k
    SET floor_hi = cut.hi, floor_lo = cut.lo, events = k.events - cut.nth, bytes = k.bytes - cut.total
    WHERE k.log = in_log;
    RETURN cut.nth >= 5000;
END
$$;

COMMENT ON TABLE sse_logs IS 'sse-log-postgres, schema 1';
