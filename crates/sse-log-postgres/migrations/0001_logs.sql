-- The tables and functions of `sse-log-postgres`: apply this file, and then the files after it. They can be applied any number of times. If
-- an application copies them into its migrations, it sets `EngineOptions::migrations` to `Migrations::AreApplied`.
--
-- All tables and functions are in the first schema of the search path.

-- One row for each log. A row changes when its log is finished, begins a new epoch, or changes its ordering, so it is rarely locked.
CREATE TABLE IF NOT EXISTS sse_logs (
    log            text COLLATE "C" PRIMARY KEY CHECK (log ~ '^[A-Za-z0-9_-]{1,64}$'),
    -- The epoch of the ids.
    epoch          text NOT NULL,
    is_finished    boolean NOT NULL DEFAULT false,
    -- The number that is added to the ids of transactions. It rises if these ids begin again: in another cluster, after a dump was restored there.
    shift          bigint NOT NULL DEFAULT 0,
    -- With `Ordering::ByLock`: the `hi` of all later events.
    locked_at      bigint,
    -- The system identifier of the cluster; 0 if the user may not read it.
    cluster        bigint NOT NULL,
    -- The database and the table. Both differ after a dump was restored.
    home           bigint NOT NULL,
    -- The timeline of the cluster; 0 if it cannot be read. Each promotion, and each recovery to a point in time, begins another timeline.
    timeline       bigint NOT NULL,
    -- True if commits wait for a standby, so that a failover loses none.
    is_synchronous boolean NOT NULL,
    -- The transaction that wrote this row. The row's own `xmin` differs if the row was restored from a dump, or copied.
    written_by     xid NOT NULL
);

-- The floor and the counts of each log. Each change inserts a row with the next number, and removes the row before it: so a query finds the newest
-- row at once, also while an old snapshot keeps all rows before it.
CREATE TABLE IF NOT EXISTS sse_log_kept (
    log        text COLLATE "C" NOT NULL,
    n          bigint NOT NULL,
    -- The position up to which events were dropped: a client below it has missed events.
    floor_hi   bigint NOT NULL DEFAULT 0,
    floor_lo   bigint NOT NULL DEFAULT 0,
    -- The number of deletions.
    deletions  bigint NOT NULL DEFAULT 0,
    -- The number of events and bytes up to this position, so that retention need not count them again. If an operator removes rows, set these
    -- four to 0, and the floor to the last removed position; otherwise clients get no reset for the gap.
    counted_hi bigint NOT NULL DEFAULT 0,
    counted_lo bigint NOT NULL DEFAULT 0,
    events     bigint NOT NULL DEFAULT 0,
    bytes      bigint NOT NULL DEFAULT 0,
    -- No event is before `first`, and no idempotency key is before `keys`: scans begin there, after the dead rows.
    first_hi   bigint NOT NULL DEFAULT 0,
    first_lo   bigint NOT NULL DEFAULT 0,
    keys_hi    bigint NOT NULL DEFAULT 0,
    keys_lo    bigint NOT NULL DEFAULT 0,
    -- The time of the log, and the clock of the server at that moment: if the clock jumps, running processes continue from the time of the log.
    latest     timestamptz NOT NULL DEFAULT clock_timestamp(),
    server_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (log, n)
);

-- The events of all logs. The table has no foreign key, since each append would lock the row of its log.
CREATE TABLE IF NOT EXISTS sse_log_events (
    log       text COLLATE "C" NOT NULL,
    -- The position: the id of the transaction that stored the event, plus `shift`, and a number that rises.
    hi        bigint NOT NULL CHECK (hi < 281474976710656), -- 2^48, so that ids are short
    lo        bigint NOT NULL CHECK (lo < 281474976710656),
    -- The key: a newer event supersedes older events of its key.
    key       text COLLATE "C",
    -- The event in its wire format; NULL once it was deleted.
    block     bytea,
    -- In the time of the log.
    stored_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (log, hi, lo)
);
CREATE INDEX IF NOT EXISTS sse_log_events_key ON sse_log_events (log, key, hi, lo) WHERE key IS NOT NULL;
CREATE INDEX IF NOT EXISTS sse_log_events_deleted ON sse_log_events (log, hi, lo) WHERE block IS NULL;

-- The source of positions. Each append and each other change draws from it: a new value shows that some log has changed.
CREATE SEQUENCE IF NOT EXISTS sse_log_positions;

-- Idempotency keys, and the positions of the events that were appended with them. The events may be gone.
CREATE TABLE IF NOT EXISTS sse_log_keys (
    log       text COLLATE "C" NOT NULL,
    key       text COLLATE "C" NOT NULL,
    -- The epoch of the event. In another epoch the key is new.
    epoch     text NOT NULL,
    hi        bigint NOT NULL,
    lo        bigint NOT NULL,
    -- In the time of the log.
    stored_at timestamptz NOT NULL,
    PRIMARY KEY (log, key)
);
CREATE INDEX IF NOT EXISTS sse_log_keys_position ON sse_log_keys (log, hi, lo);

-- Returns the advisory lock that the appends to a log share. It is no lock on the log's row: each of hundreds of transactions that share a row lock
-- writes to the row.
CREATE OR REPLACE FUNCTION sse_log_lock(in_log text) RETURNS bigint LANGUAGE sql STABLE AS $$
    SELECT hashtextextended(in_log, 'sse_logs'::regclass::oid::bigint)
$$;

-- Returns the advisory lock of all changes of `sse_log_kept`. An append tries it. If the log is far over its limits, the append waits for it for
-- 100 ms at most.
CREATE OR REPLACE FUNCTION sse_log_kept_lock(in_log text) RETURNS bigint LANGUAGE sql STABLE AS $$
    SELECT hashtextextended(in_log, 'sse_log_kept'::regclass::oid::bigint)
$$;

-- Takes the exclusive lock of a log, once all transactions that append now have ended. Later appends queue behind it for 50 ms at a time, since
-- an application's transaction may stay open for long. It fails after `lock_timeout`.
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

-- Returns the `hi` below which no further event can be stored, so that the events below it are readable. A transaction that still runs may have a
-- lower id than a transaction that has ended, also if it has written nothing for the log yet. A finished log gets no events, and with a lock
-- events are stored in their order.
CREATE OR REPLACE FUNCTION sse_log_below(l sse_logs) RETURNS bigint LANGUAGE sql STABLE AS $$
    SELECT CASE
        WHEN l.is_finished OR l.locked_at IS NOT NULL THEN 281474976710656
        ELSE pg_snapshot_xmin(pg_current_snapshot())::text::bigint + l.shift
    END
$$;

-- Returns the system identifier of this cluster; 0 if the user may not read it.
CREATE OR REPLACE FUNCTION sse_log_cluster() RETURNS bigint LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN (SELECT system_identifier FROM pg_control_system());
EXCEPTION WHEN insufficient_privilege OR undefined_function OR feature_not_supported THEN
    RETURN 0;
END
$$;

-- Returns the timeline of the cluster; 0 if it cannot be read.
CREATE OR REPLACE FUNCTION sse_log_timeline() RETURNS bigint LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN ('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::bigint;
EXCEPTION WHEN insufficient_privilege OR undefined_function OR feature_not_supported OR object_not_in_prerequisite_state
    OR invalid_text_representation THEN
    RETURN 0;
END
$$;

-- Returns a number for the database and the table.
CREATE OR REPLACE FUNCTION sse_log_home() RETURNS bigint LANGUAGE sql STABLE AS $$
    SELECT (d.oid::bigint << 32) | 'sse_logs'::regclass::oid::bigint FROM pg_database d WHERE d.datname = current_database()
$$;

-- Returns true if commits wait for a standby, unless a session has `synchronous_commit = local`.
CREATE OR REPLACE FUNCTION sse_log_is_synchronous() RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT current_setting('synchronous_standby_names') <> ''
$$;

-- Ensures that this transaction survives a crash after its commit, also if `synchronous_commit` is off: an acknowledged change must not be lost.
CREATE OR REPLACE FUNCTION sse_log_outlive() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF current_setting('synchronous_commit') = 'off' THEN
        PERFORM set_config('synchronous_commit', 'on', true);
    END IF;
END
$$;

-- Returns true if the row of a log, written by this transaction, was restored or copied, or is in another cluster than before.
CREATE OR REPLACE FUNCTION sse_log_is_copied(l sse_logs, written xid) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT l.written_by <> written OR l.home <> sse_log_home()
        OR (l.cluster <> 0 AND sse_log_cluster() NOT IN (0, l.cluster))
$$;

-- Returns true if the cluster was promoted, or recovered to a point in time, since the row was written.
CREATE OR REPLACE FUNCTION sse_log_is_promoted(l sse_logs) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT l.timeline <> 0 AND sse_log_timeline() NOT IN (0, l.timeline)
$$;

-- Returns true if counted events are missing, or if events are above all positions that this server has given.
CREATE OR REPLACE FUNCTION sse_log_is_torn(l sse_logs) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT coalesce((top.hi, top.lo) < (k.counted_hi, k.counted_lo), k.counted_hi > 0)
        OR coalesce(top.hi >= pg_snapshot_xmax(pg_current_snapshot())::text::bigint + l.shift, false)
    FROM sse_log_kept k
    LEFT JOIN LATERAL (
        SELECT e.hi, e.lo FROM sse_log_events e WHERE e.log = l.log ORDER BY e.hi DESC, e.lo DESC LIMIT 1
    ) top ON true
    WHERE k.log = l.log ORDER BY k.n DESC LIMIT 1
$$;
