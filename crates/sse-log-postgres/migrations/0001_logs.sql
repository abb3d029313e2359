-- Event logs: what `sse-log-postgres` keeps, and how it is written: this file, and then those after it. They can be applied any number
-- of times, and be copied into the migrations of an application; `EngineOptions::migrations` then says that they are there already.
--
-- All of it is in the first schema of the search path.

-- One row for each log. Changed when a log is finished, begins a new epoch, or changes its ordering; so it is hardly ever locked.
CREATE TABLE IF NOT EXISTS sse_logs (
    log            text COLLATE "C" PRIMARY KEY CHECK (log ~ '^[A-Za-z0-9_-]{1,64}$'),
    -- Which life of the log the ids are from.
    epoch          text NOT NULL,
    is_finished    boolean NOT NULL DEFAULT false,
    -- Added to the ids of transactions. It is raised if these begin again: in another cluster, after a dump was restored there.
    shift          bigint NOT NULL DEFAULT 0,
    -- With `Ordering::ByLock`: the `hi` of all events from then on.
    locked_at      bigint,
    -- The system identifier of the cluster it is in; 0 if that may not be known.
    cluster        bigint NOT NULL,
    -- The database and the table it is in. Both are others once a dump was restored.
    home           bigint NOT NULL,
    -- The timeline of the cluster: another one after each promotion and each recovery to a point in time; 0 if it cannot be read.
    timeline       bigint NOT NULL,
    -- Whether commits wait for a standby, so that none is lost by a failover.
    is_synchronous boolean NOT NULL,
    -- The transaction that wrote this row. The row's own `xmin` is another one if the row was restored from a dump, or copied.
    written_by     xid NOT NULL
);

-- What was let go of, and counted. Each change is a new row, of the next number, and removes the one before it: the newest is found at once,
-- also while an old snapshot keeps all those before it.
CREATE TABLE IF NOT EXISTS sse_log_kept (
    log        text COLLATE "C" NOT NULL,
    n          bigint NOT NULL,
    -- The position up to which events were let go of: a client below it has missed some.
    floor_hi   bigint NOT NULL DEFAULT 0,
    floor_lo   bigint NOT NULL DEFAULT 0,
    -- How often an event was deleted.
    deletions  bigint NOT NULL DEFAULT 0,
    -- How many events and bytes there are up to this position, so that they need not be counted again. If rows are removed by hand,
    -- set these four to 0, and the floor to the last that was removed, or clients are not told that they have missed it.
    counted_hi bigint NOT NULL DEFAULT 0,
    counted_lo bigint NOT NULL DEFAULT 0,
    events     bigint NOT NULL DEFAULT 0,
    bytes      bigint NOT NULL DEFAULT 0,
    -- No event is before this position, and no idempotency key before that one: scans begin here, after the dead rows.
    first_hi   bigint NOT NULL DEFAULT 0,
    first_lo   bigint NOT NULL DEFAULT 0,
    keys_hi    bigint NOT NULL DEFAULT 0,
    keys_lo    bigint NOT NULL DEFAULT 0,
    -- The time of the log, and the clock of the server at that moment: if the clock jumps, processes that run go on from the former.
    latest     timestamptz NOT NULL DEFAULT clock_timestamp(),
    server_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (log, n)
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
    -- By the time of the log.
    stored_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (log, hi, lo)
);
CREATE INDEX IF NOT EXISTS sse_log_events_key ON sse_log_events (log, key, hi, lo) WHERE key IS NOT NULL;
CREATE INDEX IF NOT EXISTS sse_log_events_deleted ON sse_log_events (log, hi, lo) WHERE block IS NULL;

-- Each append draws from it, and each other change: where it stands tells whether anything was changed at all.
CREATE SEQUENCE IF NOT EXISTS sse_log_positions;

-- Idempotency keys, and the events that they brought, which may be gone.
CREATE TABLE IF NOT EXISTS sse_log_keys (
    log       text COLLATE "C" NOT NULL,
    key       text COLLATE "C" NOT NULL,
    -- In another epoch the key is new.
    epoch     text NOT NULL,
    hi        bigint NOT NULL,
    lo        bigint NOT NULL,
    -- By the time of the log.
    stored_at timestamptz NOT NULL,
    PRIMARY KEY (log, key)
);
CREATE INDEX IF NOT EXISTS sse_log_keys_position ON sse_log_keys (log, hi, lo);

-- The advisory lock that appends to a log share. Not a lock on its row: hundreds who share one write to the row, each.
CREATE OR REPLACE FUNCTION sse_log_lock(in_log text) RETURNS bigint LANGUAGE sql STABLE AS $$
    SELECT hashtextextended(in_log, 'sse_logs'::regclass::oid::bigint)
$$;

-- The advisory lock of whatever changes `sse_log_kept`. Appends try it, and never wait for it.
CREATE OR REPLACE FUNCTION sse_log_kept_lock(in_log text) RETURNS bigint LANGUAGE sql STABLE AS $$
    SELECT hashtextextended(in_log, 'sse_log_kept'::regclass::oid::bigint)
$$;

-- Takes the lock of a log alone, once all that append now have come to their end. Those that come meanwhile queue behind it: for 50 ms at a
-- time, since an application's transaction may stay open for long. It gives up after `lock_timeout`.
CREATE OR REPLACE FUNCTION sse_log_alone(in_log text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    within text := current_setting('lock_timeout');
    until timestamptz := clock_timestamp() + CASE within WHEN '0' THEN interval '2500 ms' ELSE within::interval END;
BEGIN
    LOOP
        BEGIN
            PERFORM set_config('lock_timeout', '50ms', true);
            PERFORM pg_advisory_xact_lock(sse_log_lock(in_log));
            PERFORM set_config('lock_timeout', within, true);
            RETURN;
        EXCEPTION WHEN lock_not_available THEN
            IF clock_timestamp() > until THEN
                RAISE;
            END IF;
        END;
        PERFORM pg_sleep(0.2);
    END LOOP;
END
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

-- The cluster that this is; 0 if that may not be known.
CREATE OR REPLACE FUNCTION sse_log_cluster() RETURNS bigint LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN (SELECT system_identifier FROM pg_control_system());
EXCEPTION WHEN insufficient_privilege OR undefined_function OR feature_not_supported THEN
    RETURN 0;
END
$$;

-- The timeline of the cluster; 0 if it cannot be read.
CREATE OR REPLACE FUNCTION sse_log_timeline() RETURNS bigint LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN ('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::bigint;
EXCEPTION WHEN insufficient_privilege OR undefined_function OR feature_not_supported OR object_not_in_prerequisite_state
    OR invalid_text_representation THEN
    RETURN 0;
END
$$;

-- The database and the table that this is.
CREATE OR REPLACE FUNCTION sse_log_home() RETURNS bigint LANGUAGE sql STABLE AS $$
    SELECT (d.oid::bigint << 32) | 'sse_logs'::regclass::oid::bigint FROM pg_database d WHERE d.datname = current_database()
$$;

-- Whether commits wait for a standby, unless a session has `synchronous_commit = local`.
CREATE OR REPLACE FUNCTION sse_log_is_synchronous() RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT current_setting('synchronous_standby_names') <> ''
$$;

-- Has this transaction outlive a crash once it is committed, whatever the server is set to: what was answered must not come undone.
CREATE OR REPLACE FUNCTION sse_log_outlive() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF current_setting('synchronous_commit') = 'off' THEN
        PERFORM set_config('synchronous_commit', 'on', true);
    END IF;
END
$$;

-- Whether the row of a log, written by this transaction, was restored or copied, or is in another cluster than it was.
CREATE OR REPLACE FUNCTION sse_log_is_copied(l sse_logs, written xid) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT l.written_by <> written OR l.home <> sse_log_home()
        OR (l.cluster <> 0 AND sse_log_cluster() NOT IN (0, l.cluster))
$$;

-- Whether the cluster was promoted, or recovered to a point in time, since the row was written.
CREATE OR REPLACE FUNCTION sse_log_is_promoted(l sse_logs) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT l.timeline <> 0 AND sse_log_timeline() NOT IN (0, l.timeline)
$$;

-- Whether events are missing that were counted, or are above all that this server has given.
CREATE OR REPLACE FUNCTION sse_log_is_torn(l sse_logs) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT coalesce((top.hi, top.lo) < (k.counted_hi, k.counted_lo), k.counted_hi > 0)
        OR coalesce(top.hi >= pg_snapshot_xmax(pg_current_snapshot())::text::bigint + l.shift, false)
    FROM sse_log_kept k
    LEFT JOIN LATERAL (
        SELECT e.hi, e.lo FROM sse_log_events e WHERE e.log = l.log ORDER BY e.hi DESC, e.lo DESC LIMIT 1
    ) top ON true
    WHERE k.log = l.log ORDER BY k.n DESC LIMIT 1
$$;
