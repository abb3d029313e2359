-- The events that have topics. Each query of `sse_log_events` finds them there, too; `ONLY sse_log_events` are the events without topics.
CREATE TABLE IF NOT EXISTS sse_log_topic_events (
    topics text[] COLLATE "C" NOT NULL CHECK (cardinality(topics) BETWEEN 1 AND 8),
    PRIMARY KEY (log, hi, lo)
) INHERITS (sse_log_events);
CREATE INDEX IF NOT EXISTS sse_log_topic_events_key ON sse_log_topic_events (log, key, hi, lo) WHERE key IS NOT NULL;
CREATE INDEX IF NOT EXISTS sse_log_topic_events_deleted ON sse_log_topic_events (log, hi, lo) WHERE block IS NULL;

-- An index for each place of a topic in its event. The entry of an event goes with its row. A deleted event has no entry.
CREATE INDEX IF NOT EXISTS sse_log_topic_events_1 ON sse_log_topic_events (log, (topics[1]), hi, lo) WHERE block IS NOT NULL;
CREATE INDEX IF NOT EXISTS sse_log_topic_events_2 ON sse_log_topic_events (log, (topics[2]), hi, lo)
    WHERE topics[2] IS NOT NULL AND block IS NOT NULL;
CREATE INDEX IF NOT EXISTS sse_log_topic_events_3 ON sse_log_topic_events (log, (topics[3]), hi, lo)
    WHERE topics[3] IS NOT NULL AND block IS NOT NULL;
CREATE INDEX IF NOT EXISTS sse_log_topic_events_4 ON sse_log_topic_events (log, (topics[4]), hi, lo)
    WHERE topics[4] IS NOT NULL AND block IS NOT NULL;
CREATE INDEX IF NOT EXISTS sse_log_topic_events_5 ON sse_log_topic_events (log, (topics[5]), hi, lo)
    WHERE topics[5] IS NOT NULL AND block IS NOT NULL;
CREATE INDEX IF NOT EXISTS sse_log_topic_events_6 ON sse_log_topic_events (log, (topics[6]), hi, lo)
    WHERE topics[6] IS NOT NULL AND block IS NOT NULL;
CREATE INDEX IF NOT EXISTS sse_log_topic_events_7 ON sse_log_topic_events (log, (topics[7]), hi, lo)
    WHERE topics[7] IS NOT NULL AND block IS NOT NULL;
CREATE INDEX IF NOT EXISTS sse_log_topic_events_8 ON sse_log_topic_events (log, (topics[8]), hi, lo)
    WHERE topics[8] IS NOT NULL AND block IS NOT NULL;

-- Users with rights on the events of earlier schemas get the same rights on the events with topics.
DO $$
DECLARE
    own record;
BEGIN
    FOR own IN
        SELECT a.privilege_type, coalesce(quote_ident(r.rolname), 'PUBLIC') AS grantee
        FROM pg_class c CROSS JOIN LATERAL aclexplode(c.relacl) a LEFT JOIN pg_roles r ON r.oid = a.grantee
        WHERE c.oid = 'sse_log_events'::regclass AND a.grantee <> c.relowner AND a.privilege_type IN ('SELECT', 'INSERT', 'UPDATE', 'DELETE')
    LOOP
        EXECUTE format('GRANT %s ON sse_log_topic_events TO %s', own.privilege_type, own.grantee);
    END LOOP;
END
$$;

-- Returns the number of topics that an event of any log may have, from the sizes of the indexes: an index that never had an entry has one
-- block. So a query leaves out the indexes that are empty.
CREATE OR REPLACE FUNCTION sse_log_places() RETURNS int LANGUAGE sql STABLE AS $$
    SELECT coalesce(max(i.place), 0) FROM (VALUES
        (1, 'sse_log_topic_events_1'::regclass), (2, 'sse_log_topic_events_2'::regclass), (3, 'sse_log_topic_events_3'::regclass),
        (4, 'sse_log_topic_events_4'::regclass), (5, 'sse_log_topic_events_5'::regclass), (6, 'sse_log_topic_events_6'::regclass),
        (7, 'sse_log_topic_events_7'::regclass), (8, 'sse_log_topic_events_8'::regclass)
    ) AS i (place, index)
    WHERE pg_relation_size(i.index) > current_setting('block_size')::bigint
$$;

COMMENT ON TABLE sse_logs IS 'sse-log-postgres, schema 5';
