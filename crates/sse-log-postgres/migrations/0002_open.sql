-- Creates the log if it is missing, and ensures that its next positions are above all stored positions. If `decides`, the log has the ordering
-- `by_lock` from now on. If `keeps`, the epoch continues after a promotion; if it is NULL, that depends on whether commits waited for a standby.
CREATE OR REPLACE FUNCTION sse_log_open(in_log text, new_epoch text, by_lock boolean, decides boolean, keeps boolean)
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    l sse_logs;
    top bigint;
    is_promoted boolean;
    is_restored boolean;
    is_in_order boolean;
BEGIN
    IF NOT EXISTS (SELECT FROM sse_logs s WHERE s.log = in_log) THEN
        INSERT INTO sse_log_kept (log, n) SELECT in_log, 0 WHERE NOT EXISTS (SELECT FROM sse_log_kept k WHERE k.log = in_log)
        ON CONFLICT DO NOTHING;
        INSERT INTO sse_logs (log, epoch, cluster, home, timeline, is_synchronous, written_by) VALUES (
            in_log, new_epoch, sse_log_cluster(), sse_log_home(), sse_log_timeline(), sse_log_is_synchronous(),
            pg_current_xact_id()::xid
        ) ON CONFLICT DO NOTHING;
        decides := true;
    END IF;
    SELECT NOT decides OR by_lock = (s.locked_at IS NOT NULL), sse_log_is_promoted(s),
        sse_log_is_copied(s, s.xmin) OR coalesce(sse_log_is_torn(s), true)
    INTO is_in_order, is_promoted, is_restored FROM sse_logs s WHERE s.log = in_log;
    SELECT * INTO l FROM sse_logs s WHERE s.log = in_log;
    is_restored := is_restored OR (is_promoted AND NOT coalesce(keeps, l.is_synchronous));
    IF is_in_order AND NOT is_restored THEN
        UPDATE sse_logs s
        SET timeline = sse_log_timeline(), is_synchronous = sse_log_is_synchronous(), written_by = pg_current_xact_id()::xid
        WHERE s.log = in_log AND (is_promoted OR s.is_synchronous <> sse_log_is_synchronous());
        RETURN;
    END IF;

    PERFORM sse_log_outlive();
    -- With this lock, no transaction that has appended is still open.
    PERFORM sse_log_alone(in_log);
    SELECT sse_log_is_promoted(s), sse_log_is_copied(s, s.xmin) OR coalesce(sse_log_is_torn(s), true)
    INTO is_promoted, is_restored FROM sse_logs s WHERE s.log = in_log;
    SELECT * INTO l FROM sse_logs s WHERE s.log = in_log;
    by_lock := CASE WHEN decides THEN by_lock ELSE l.locked_at IS NOT NULL END;
    is_restored := is_restored OR (is_promoted AND NOT coalesce(keeps, l.is_synchronous));
    SELECT greatest(max(e.hi), l.locked_at) INTO top FROM sse_log_events e WHERE e.log = in_log;
    IF is_restored OR (l.locked_at IS NOT NULL AND NOT by_lock) THEN
        -- Every transaction that can still append gets a position above all stored positions.
        l.shift := greatest(l.shift, top + 1 - pg_snapshot_xmin(pg_current_snapshot())::text::bigint);
    END IF;
    IF is_restored THEN
        l.epoch := new_epoch;
        -- Retention counts the stored events again.
        PERFORM pg_advisory_xact_lock(sse_log_kept_lock(in_log));
        PERFORM sse_log_recount(in_log);
    END IF;
    IF by_lock AND (l.locked_at IS NULL OR is_restored) THEN
        l.locked_at := greatest(top, pg_current_xact_id()::text::bigint + l.shift);
    ELSIF NOT by_lock THEN
        l.locked_at := NULL;
    END IF;
    UPDATE sse_logs s
    SET epoch = l.epoch, shift = l.shift, locked_at = l.locked_at, cluster = sse_log_cluster(), home = sse_log_home(),
        timeline = sse_log_timeline(), is_synchronous = sse_log_is_synchronous(), written_by = pg_current_xact_id()::xid
    WHERE s.log = in_log;
    PERFORM nextval('sse_log_positions');
END
$$;

-- Resets the counts, so that retention counts again; the floor stays. The caller holds `sse_log_kept_lock`.
CREATE OR REPLACE FUNCTION sse_log_recount(in_log text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    kept sse_log_kept;
BEGIN
    SELECT * INTO kept FROM sse_log_kept k WHERE k.log = in_log ORDER BY k.n DESC LIMIT 1;
    INSERT INTO sse_log_kept (log, n, floor_hi, floor_lo, deletions, latest) VALUES (
        in_log, coalesce(kept.n, 0) + 1, coalesce(kept.floor_hi, 0), coalesce(kept.floor_lo, 0), coalesce(kept.deletions, 0) + 1,
        coalesce(greatest(kept.latest, clock_timestamp()), clock_timestamp())
    );
    DELETE FROM sse_log_kept k WHERE k.log = in_log AND k.n = kept.n;
END
$$;
