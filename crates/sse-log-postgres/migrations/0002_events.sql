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
    PERFORM sse_log_outlive();
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
    IF l.home <> sse_log_home() THEN
        RAISE no_data_found USING MESSAGE = format('the event log named %L was restored, and not opened since', in_log);
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
    PERFORM sse_log_outlive();
    PERFORM pg_advisory_xact_lock(sse_log_lock(in_log));
    UPDATE sse_logs SET is_finished = true WHERE log = in_log;
    IF NOT FOUND THEN
        RAISE no_data_found USING MESSAGE = format('there is no event log named %L', in_log);
    END IF;
END
$$;

-- Begins a new epoch if it is this one still; answers the one that there is then.
CREATE OR REPLACE FUNCTION sse_log_begin_epoch(in_log text, new_epoch text, instead_of text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    answer text;
BEGIN
    PERFORM sse_log_outlive();
    UPDATE sse_logs s SET epoch = CASE s.epoch WHEN instead_of THEN new_epoch ELSE s.epoch END
    WHERE s.log = in_log RETURNING s.epoch INTO answer;
    IF NOT FOUND THEN
        RAISE no_data_found USING MESSAGE = format('there is no event log named %L', in_log);
    END IF;
    RETURN answer;
END
$$;

-- Forgets an event. Its row stays until there are newer ones, since its position may be the newest.
CREATE OR REPLACE FUNCTION sse_log_delete(in_log text, in_hi bigint, in_lo bigint) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    kept sse_log_kept;
    victim sse_log_events;
    gone record;
BEGIN
    PERFORM sse_log_outlive();
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
