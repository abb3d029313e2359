-- Event logs: what `sse-log-postgres` keeps, and how it is written: this file, and then those after it. They can be applied any number
-- of times, and be copied into the migrations of an application; `Options::migrations` then says that it is there already.
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
    cluster     bigint NOT NULL,
    -- The database and the table it is in. Both are others once a dump was restored.
    home        bigint
);

-- One row for each log. Changed whenever events are let go of.
CREATE TABLE IF NOT EXISTS sse_log_kept (
    log        text COLLATE "C" PRIMARY KEY,
    -- The position up to which events were let go of: whoever is below it has missed some.
    floor_hi   bigint NOT NULL DEFAULT 0,
    floor_lo   bigint NOT NULL DEFAULT 0,
    -- How often an event was deleted.
    deletions  bigint NOT NULL DEFAULT 0,
    -- How many events and bytes there are up to this position, so that nobody needs to count them again. Whoever removes rows by hand
    -- sets these four to 0, and the floor to the last that he has removed, or clients are not told that they have missed it.
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

-- The database and the table that this is.
CREATE OR REPLACE FUNCTION sse_log_home() RETURNS bigint LANGUAGE sql STABLE AS $$
    SELECT (d.oid::bigint << 32) | 'sse_logs'::regclass::oid::bigint FROM pg_database d WHERE d.datname = current_database()
$$;
ALTER TABLE sse_logs ADD COLUMN IF NOT EXISTS home bigint;
UPDATE sse_logs SET home = sse_log_home() WHERE home IS NULL;

-- Has this transaction outlive a crash once it is committed, whatever the server is set to: what was answered must not come undone.
CREATE OR REPLACE FUNCTION sse_log_outlive() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF current_setting('synchronous_commit') = 'off' THEN
        PERFORM set_config('synchronous_commit', 'on', true);
    END IF;
END
$$;

-- Whether this is another place than the one that gave the newest positions: it would give them again.
CREATE OR REPLACE FUNCTION sse_log_is_restored(l sse_logs) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT (l.cluster <> 0 AND sse_log_cluster() NOT IN (0, l.cluster)) OR l.home IS DISTINCT FROM sse_log_home()
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
        INSERT INTO sse_logs (log, epoch, cluster, home) VALUES (in_log, new_epoch, sse_log_cluster(), sse_log_home())
        ON CONFLICT DO NOTHING;
        SELECT * INTO l FROM sse_logs s WHERE s.log = in_log;
    END IF;
    IF by_lock = (l.locked_at IS NOT NULL) AND NOT sse_log_is_restored(l) THEN
        RETURN;
    END IF;

    PERFORM sse_log_outlive();
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
        l.home := sse_log_home();
    END IF;
    IF by_lock AND (l.locked_at IS NULL OR is_restored) THEN
        l.locked_at := greatest(top, pg_current_xact_id()::text::bigint + l.shift);
    ELSIF NOT by_lock THEN
        l.locked_at := NULL;
    END IF;
    UPDATE sse_logs s
    SET epoch = l.epoch, shift = l.shift, locked_at = l.locked_at, cluster = l.cluster, home = l.home
    WHERE s.log = in_log;
END
$$;
