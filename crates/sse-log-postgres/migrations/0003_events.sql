-- Stores events in their order, except those with an idempotency key that the log knows. Returns the position of each event, or no row if the log
-- is finished. `keys`, `once` (idempotency keys) and `topics` have an element for each event, or are NULL if no event has one. The topics of an
-- event are one text, with line breaks between them. The log knows an idempotency key for `remembered`. `told` is the time of the log in the calling process. If `max_events` and `max_bytes` are given, it drops
-- events over these limits: about as many as were stored since the last drop.
CREATE OR REPLACE FUNCTION sse_log_append(
    in_log text, blocks bytea[], keys text[], once text[], remembered interval, told timestamptz, max_events bigint, max_bytes bigint,
    topics text[]
) RETURNS TABLE (epoch text, hi bigint, lo bigint) LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    l sse_logs;
    is_gone_back boolean;
    at bigint;
    n bigint := cardinality(blocks);
    positions bigint[];
    known sse_log_keys;
    his bigint[];
    is_known boolean[];
    i bigint;
BEGIN
    -- An event that a reader has seen must survive a crash: otherwise the next transaction would get the same id.
    PERFORM sse_log_outlive();
    PERFORM pg_advisory_xact_lock_shared(sse_log_lock(in_log));
    IF current_setting('transaction_isolation') = 'read committed' THEN
        SELECT * INTO l FROM sse_logs s WHERE s.log = in_log;
    ELSE
        -- The snapshot may be older than the end of the log: then this statement fails.
        SELECT * INTO l FROM sse_logs s WHERE s.log = in_log FOR SHARE;
    END IF;
    IF NOT FOUND THEN
        RAISE no_data_found USING MESSAGE = format('there is no event log named %L', in_log);
    END IF;
    SELECT sse_log_is_copied(s, s.xmin) OR sse_log_is_promoted(s) INTO is_gone_back FROM sse_logs s WHERE s.log = in_log;
    IF is_gone_back THEN
        RAISE no_data_found USING MESSAGE = format('the event log named %L was restored, or its server promoted, and it was not opened since', in_log);
    END IF;
    SELECT greatest(told, k.latest) INTO told FROM sse_log_kept k WHERE k.log = in_log ORDER BY k.n DESC LIMIT 1;
    IF told IS NULL THEN
        RAISE no_data_found USING MESSAGE = format('a part of the event log named %L is missing', in_log);
    END IF;
    IF l.is_finished THEN
        -- The repetition of an append still returns its positions.
        RETURN QUERY
            SELECT l.epoch, k.hi, k.lo FROM unnest(once) WITH ORDINALITY AS u (key, nth)
            JOIN sse_log_keys k ON k.log = in_log AND k.key = u.key AND k.epoch = l.epoch AND k.stored_at >= told - remembered
            WHERE n = (
                SELECT count(*) FROM unnest(once) AS u (key)
                JOIN sse_log_keys k ON k.log = in_log AND k.key = u.key AND k.epoch = l.epoch AND k.stored_at >= told - remembered
            )
            ORDER BY u.nth;
        RETURN;
    END IF;
    IF l.locked_at IS NULL THEN
        at := pg_current_xact_id()::text::bigint + l.shift;
    ELSE
        PERFORM pg_advisory_xact_lock(~sse_log_lock(in_log));
        at := l.locked_at;
    END IF;

    IF once IS NULL AND topics IS NULL THEN
        RETURN QUERY
            INSERT INTO sse_log_events AS e (log, hi, lo, key, block, stored_at)
            SELECT in_log, at, nextval('sse_log_positions'), new.key, new.block, told
            FROM unnest(blocks, keys) WITH ORDINALITY AS new (block, key, place)
            ORDER BY new.place
            RETURNING l.epoch, e.hi, e.lo;
    ELSE
        positions := ARRAY(SELECT nextval('sse_log_positions') FROM generate_series(1, n));
        his := array_fill(at, ARRAY[n::int]);
        is_known := array_fill(false, ARRAY[n::int]);
        -- All transactions take the keys in one order, so that no two wait for each other. This waits for a transaction that stores the same key now.
        FOR i IN SELECT u.nth FROM unnest(once) WITH ORDINALITY AS u (key, nth) WHERE u.key IS NOT NULL ORDER BY u.key COLLATE "C", u.nth LOOP
            INSERT INTO sse_log_keys AS k (log, key, epoch, hi, lo, stored_at)
            VALUES (in_log, once[i], l.epoch, at, positions[i], told)
            ON CONFLICT (log, key) DO UPDATE
            SET epoch = excluded.epoch, hi = excluded.hi, lo = excluded.lo, stored_at = excluded.stored_at
            WHERE k.epoch <> excluded.epoch OR k.stored_at < told - remembered;
            IF NOT FOUND THEN
                SELECT * INTO STRICT known FROM sse_log_keys k WHERE k.log = in_log AND k.key = once[i];
                his[i] := known.hi;
                positions[i] := known.lo;
                is_known[i] := true;
            END IF;
        END LOOP;
        IF topics IS NULL OR array_position(topics, NULL) IS NOT NULL THEN
            INSERT INTO sse_log_events (log, hi, lo, key, block, stored_at)
            SELECT in_log, at, positions[u.nth], keys[u.nth], blocks[u.nth], told
            FROM generate_series(1, n) AS u (nth) WHERE NOT is_known[u.nth] AND topics[u.nth] IS NULL;
        END IF;
        IF topics IS NOT NULL THEN
            INSERT INTO sse_log_topic_events (log, hi, lo, key, block, stored_at, topics)
            SELECT in_log, at, positions[u.nth], keys[u.nth], blocks[u.nth], told, string_to_array(topics[u.nth], E'\n')
            FROM generate_series(1, n) AS u (nth) WHERE NOT is_known[u.nth] AND topics[u.nth] IS NOT NULL;
        END IF;
        RETURN QUERY SELECT l.epoch, his[u.nth], positions[u.nth] FROM generate_series(1, n) AS u (nth) ORDER BY u.nth;
    END IF;
    IF max_events IS NOT NULL THEN
        -- If events arrive faster than they are dropped, this append waits a little for the transaction that drops now, and then drops next.
        IF NOT pg_try_advisory_xact_lock(sse_log_kept_lock(in_log)) AND sse_log_is_far_over(in_log, max_events, max_bytes) THEN
            FOR i IN 1..50 LOOP
                PERFORM pg_sleep(0.002);
                EXIT WHEN pg_try_advisory_xact_lock(sse_log_kept_lock(in_log));
            END LOOP;
        END IF;
        PERFORM sse_log_let_go(in_log, max_events, max_bytes, NULL, NULL, remembered, told, greatest(2 * n, 2000), false);
    END IF;
END
$$;

-- Stores events without topics: processes of earlier versions call it.
CREATE OR REPLACE FUNCTION sse_log_append(
    in_log text, blocks bytea[], keys text[], once text[], remembered interval, told timestamptz, max_events bigint, max_bytes bigint
) RETURNS TABLE (epoch text, hi bigint, lo bigint) LANGUAGE sql AS $$
    SELECT * FROM sse_log_append(in_log, blocks, keys, once, remembered, told, max_events, max_bytes, NULL::text[])
$$;

-- Finishes the log, once all transactions that append now have ended: the newest event is then the last.
CREATE OR REPLACE FUNCTION sse_log_finish(in_log text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM sse_log_outlive();
    PERFORM sse_log_alone(in_log);
    UPDATE sse_logs s SET is_finished = true, written_by = pg_current_xact_id()::xid
    WHERE s.log = in_log AND NOT sse_log_is_copied(s, s.xmin);
    IF NOT FOUND THEN
        RAISE no_data_found USING MESSAGE = format('there is no event log named %L', in_log);
    END IF;
    PERFORM nextval('sse_log_positions');
END
$$;

-- Begins a new epoch if `instead_of` is still the epoch. Returns the epoch that the log then has. It waits for open transactions that have appended,
-- since their ids are of the old epoch.
CREATE OR REPLACE FUNCTION sse_log_begin_epoch(in_log text, new_epoch text, instead_of text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    answer text;
BEGIN
    PERFORM sse_log_outlive();
    PERFORM sse_log_alone(in_log);
    SELECT s.epoch INTO answer FROM sse_logs s WHERE s.log = in_log AND NOT sse_log_is_copied(s, s.xmin);
    IF NOT FOUND THEN
        RAISE no_data_found USING MESSAGE = format('there is no event log named %L', in_log);
    END IF;
    IF answer = instead_of THEN
        answer := new_epoch;
        UPDATE sse_logs s SET epoch = new_epoch, written_by = pg_current_xact_id()::xid WHERE s.log = in_log;
        PERFORM nextval('sse_log_positions');
    END IF;
    RETURN answer;
END
$$;

-- Deletes an event. Its row stays until there are newer rows, since its position may be the newest.
CREATE OR REPLACE FUNCTION sse_log_delete(in_log text, in_hi bigint, in_lo bigint) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    kept sse_log_kept;
    victim sse_log_events;
    gone record;
BEGIN
    PERFORM sse_log_outlive();
    PERFORM pg_advisory_xact_lock(sse_log_kept_lock(in_log));
    SELECT * INTO kept FROM sse_log_kept k WHERE k.log = in_log ORDER BY k.n DESC LIMIT 1;
    SELECT * INTO victim FROM sse_log_events e
    WHERE e.log = in_log AND e.hi = in_hi AND e.lo = in_lo AND e.block IS NOT NULL;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    -- This deletes the events that it superseded, too: they must not become readable again.
    WITH victims AS (
        SELECT e.hi, e.lo, octet_length(e.block) AS bytes FROM sse_log_events e
        WHERE e.log = in_log AND e.hi = in_hi AND e.lo = in_lo
        UNION
        SELECT e.hi, e.lo, octet_length(e.block) FROM sse_log_events e
        WHERE e.log = in_log AND e.key = victim.key AND (e.hi, e.lo) >= (kept.first_hi, kept.first_lo) AND (e.hi, e.lo) < (in_hi, in_lo)
    ), forgotten AS (
        UPDATE sse_log_events e SET block = NULL, key = NULL FROM victims v
        WHERE e.log = in_log AND e.hi = v.hi AND e.lo = v.lo AND e.block IS NOT NULL
        RETURNING e.hi, e.lo, v.bytes
    )
    SELECT count(*) AS events, coalesce(sum(f.bytes), 0) AS bytes INTO gone FROM forgotten f
    WHERE (f.hi, f.lo) <= (kept.counted_hi, kept.counted_lo);
    kept.deletions := kept.deletions + 1;
    kept.events := kept.events - gone.events;
    kept.bytes := kept.bytes - gone.bytes;
    PERFORM sse_log_keep(kept);
    PERFORM nextval('sse_log_positions');
END
$$;
