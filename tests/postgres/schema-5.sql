-- The tables that schema 5 adds to those of schema 4, and a log with topics as it writes it. Apply it after the file of schema 4.
CREATE TABLE sse_log_topic_events (
    topics text[] COLLATE "C" NOT NULL CHECK (cardinality(topics) BETWEEN 1 AND 8),
    PRIMARY KEY (log, hi, lo)
) INHERITS (sse_log_events);
CREATE INDEX sse_log_topic_events_key ON sse_log_topic_events (log, key, hi, lo) WHERE key IS NOT NULL;
CREATE INDEX sse_log_topic_events_deleted ON sse_log_topic_events (log, hi, lo) WHERE block IS NULL;
CREATE INDEX sse_log_topic_events_1 ON sse_log_topic_events (log, (topics[1]), hi, lo) WHERE block IS NOT NULL;
CREATE INDEX sse_log_topic_events_2 ON sse_log_topic_events (log, (topics[2]), hi, lo) WHERE topics[2] IS NOT NULL AND block IS NOT NULL;
CREATE INDEX sse_log_topic_events_3 ON sse_log_topic_events (log, (topics[3]), hi, lo) WHERE topics[3] IS NOT NULL AND block IS NOT NULL;
CREATE INDEX sse_log_topic_events_4 ON sse_log_topic_events (log, (topics[4]), hi, lo) WHERE topics[4] IS NOT NULL AND block IS NOT NULL;
CREATE INDEX sse_log_topic_events_5 ON sse_log_topic_events (log, (topics[5]), hi, lo) WHERE topics[5] IS NOT NULL AND block IS NOT NULL;
CREATE INDEX sse_log_topic_events_6 ON sse_log_topic_events (log, (topics[6]), hi, lo) WHERE topics[6] IS NOT NULL AND block IS NOT NULL;
CREATE INDEX sse_log_topic_events_7 ON sse_log_topic_events (log, (topics[7]), hi, lo) WHERE topics[7] IS NOT NULL AND block IS NOT NULL;
CREATE INDEX sse_log_topic_events_8 ON sse_log_topic_events (log, (topics[8]), hi, lo) WHERE topics[8] IS NOT NULL AND block IS NOT NULL;
INSERT INTO sse_log_events (log, hi, lo, key, block, stored_at)
VALUES ('topics', 30, 14, NULL, '\x646174613a20746f20616c6c0a', '2026-11-28 05:03:01.017849+00');
INSERT INTO sse_log_topic_events (log, hi, lo, key, block, stored_at, topics)
VALUES ('topics', 30, 15, NULL, '\x646174613a206f66206f6e650a', '2026-11-28 05:03:01.017849+00', '{room/42}');
INSERT INTO sse_log_topic_events (log, hi, lo, key, block, stored_at, topics)
VALUES ('topics', 30, 16, 'k', '\x646174613a206f662074776f0a', '2026-11-28 05:03:01.017849+00', '{room/42,user/7}');
INSERT INTO sse_log_topic_events (log, hi, lo, key, block, stored_at, topics)
VALUES ('topics', 31, 17, NULL, '\x646174613a206f6620616e6f746865720a', '2026-11-28 05:03:01.023244+00', '{user/8}');
INSERT INTO sse_log_kept (log, n, latest, server_at)
VALUES ('topics', 0, '2026-11-28 05:03:01.012197+00', '2026-11-28 05:03:01.012197+00');
INSERT INTO sse_log_keys (log, key, epoch, hi, lo, stored_at)
VALUES ('topics', 'o', 'k8topics0000', 31, 17, '2026-11-28 05:03:01.023244+00');
INSERT INTO sse_logs (log, epoch, is_finished, shift, locked_at, cluster, home, timeline, is_synchronous, written_by)
SELECT 'topics', 'k8topics0000', is_finished, shift, locked_at, cluster, home, timeline, is_synchronous, pg_current_xact_id()::xid
FROM sse_logs WHERE log = 'log';
SELECT setval('sse_log_positions', 17, true);
