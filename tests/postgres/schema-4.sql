-- The tables of sse-log-postgres in schema 4, and two logs as it writes them: `log`, and `done`, which is finished. The functions are not here:
-- each build brings its own. To the server this database has written the rows itself, so that no restored dump is suspected.
CREATE TABLE sse_logs (
    log            text COLLATE "C" PRIMARY KEY CHECK (log ~ '^[A-Za-z0-9_-]{1,64}$'),
    epoch          text NOT NULL,
    is_finished    boolean NOT NULL DEFAULT false,
    shift          bigint NOT NULL DEFAULT 0,
    locked_at      bigint,
    cluster        bigint NOT NULL,
    home           bigint NOT NULL,
    timeline       bigint NOT NULL,
    is_synchronous boolean NOT NULL,
    written_by     xid NOT NULL
);
CREATE TABLE sse_log_kept (
    log        text COLLATE "C" NOT NULL,
    n          bigint NOT NULL,
    floor_hi   bigint NOT NULL DEFAULT 0,
    floor_lo   bigint NOT NULL DEFAULT 0,
    deletions  bigint NOT NULL DEFAULT 0,
    counted_hi bigint NOT NULL DEFAULT 0,
    counted_lo bigint NOT NULL DEFAULT 0,
    events     bigint NOT NULL DEFAULT 0,
    bytes      bigint NOT NULL DEFAULT 0,
    first_hi   bigint NOT NULL DEFAULT 0,
    first_lo   bigint NOT NULL DEFAULT 0,
    keys_hi    bigint NOT NULL DEFAULT 0,
    keys_lo    bigint NOT NULL DEFAULT 0,
    latest     timestamptz NOT NULL DEFAULT clock_timestamp(),
    server_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (log, n)
);
CREATE TABLE sse_log_events (
    log       text COLLATE "C" NOT NULL,
    hi        bigint NOT NULL CHECK (hi < 281474976710656),
    lo        bigint NOT NULL CHECK (lo < 281474976710656),
    key       text COLLATE "C",
    block     bytea,
    stored_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (log, hi, lo)
);
CREATE INDEX sse_log_events_key ON sse_log_events (log, key, hi, lo) WHERE key IS NOT NULL;
CREATE INDEX sse_log_events_deleted ON sse_log_events (log, hi, lo) WHERE block IS NULL;
CREATE SEQUENCE sse_log_positions;
CREATE TABLE sse_log_keys (
    log       text COLLATE "C" NOT NULL,
    key       text COLLATE "C" NOT NULL,
    epoch     text NOT NULL,
    hi        bigint NOT NULL,
    lo        bigint NOT NULL,
    stored_at timestamptz NOT NULL,
    PRIMARY KEY (log, key)
);
CREATE INDEX sse_log_keys_position ON sse_log_keys (log, hi, lo);
INSERT INTO sse_log_events (log, hi, lo, key, block, stored_at)
VALUES ('log', 8, 2, NULL, '\x646174613a206f6e650a', '2026-11-28 01:33:51.559267+00');
INSERT INTO sse_log_events (log, hi, lo, key, block, stored_at)
VALUES ('log', 12, 4, 'k', '\x646174613a2074687265650a', '2026-11-28 01:33:51.573571+00');
INSERT INTO sse_log_events (log, hi, lo, key, block, stored_at)
VALUES ('log', 13, 6, NULL, '\x646174613a20666976650a', '2026-11-28 01:33:51.581022+00');
INSERT INTO sse_log_events (log, hi, lo, key, block, stored_at)
VALUES ('log', 14, 7, NULL, '\x646174613a207369780a', '2026-11-28 01:33:51.581552+00');
INSERT INTO sse_log_events (log, hi, lo, key, block, stored_at)
VALUES ('log', 15, 8, 'l', '\x646174613a20736576656e0a', '2026-11-28 01:33:51.582826+00');
INSERT INTO sse_log_events (log, hi, lo, key, block, stored_at)
VALUES ('log', 21, 10, NULL, '\x646174613a2065696768740a', '2026-11-28 01:33:51.59221+00');
INSERT INTO sse_log_events (log, hi, lo, key, block, stored_at)
VALUES ('log', 23, 11, 'k', '\x646174613a206e696e650a', '2026-11-28 01:33:51.601415+00');
INSERT INTO sse_log_events (log, hi, lo, key, block, stored_at)
VALUES ('done', 26, 12, NULL, '\x646174613a206c6173740a', '2026-11-28 01:33:51.650987+00');
INSERT INTO sse_log_kept (log, n, floor_hi, floor_lo, deletions, counted_hi, counted_lo, events, bytes, first_hi, first_lo, keys_hi, keys_lo, latest, server_at)
VALUES ('log', 2, 6, 1, 1, 15, 8, 5, 55, 8, 2, 0, 0, '2026-11-28 01:33:51.588382+00', '2026-11-28 01:33:51.597683+00');
INSERT INTO sse_log_kept (log, n, floor_hi, floor_lo, deletions, counted_hi, counted_lo, events, bytes, first_hi, first_lo, keys_hi, keys_lo, latest, server_at)
VALUES ('done', 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, '2026-11-28 01:33:51.644053+00', '2026-11-28 01:33:51.644053+00');
INSERT INTO sse_log_keys (log, key, epoch, hi, lo, stored_at)
VALUES ('log', 'o', 'k8ji6vrih5xo', 14, 7, '2026-11-28 01:33:51.581552+00');
INSERT INTO sse_log_keys (log, key, epoch, hi, lo, stored_at)
VALUES ('log', 'p', 'k8ji6vrih5xo', 15, 8, '2026-11-28 01:33:51.582826+00');
INSERT INTO sse_logs (log, epoch, is_finished, shift, locked_at, cluster, home, timeline, is_synchronous, written_by)
VALUES ('log', 'k8ji6vrih5xo', false, 0, NULL, (SELECT system_identifier FROM pg_control_system()),
    (SELECT (d.oid::bigint << 32) | 'sse_logs'::regclass::oid::bigint FROM pg_database d WHERE d.datname = current_database()), 1, false,
    pg_current_xact_id()::xid);
INSERT INTO sse_logs (log, epoch, is_finished, shift, locked_at, cluster, home, timeline, is_synchronous, written_by)
VALUES ('done', 'bz2kjtt31i6p', true, 0, NULL, (SELECT system_identifier FROM pg_control_system()),
    (SELECT (d.oid::bigint << 32) | 'sse_logs'::regclass::oid::bigint FROM pg_database d WHERE d.datname = current_database()), 1, false,
    pg_current_xact_id()::xid);
SELECT setval('sse_log_positions', 13, true);
