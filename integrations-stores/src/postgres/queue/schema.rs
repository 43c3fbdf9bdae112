//! How do jobs stand in their tables, and what does each call do to them?
//!
//! A call of the queue is one call of a function here: one round trip, one transaction.
//!
//! `state`: 0 waits and has no turn yet, 1 waits for its turn, 2 runs; in the history, 3 is done and 4 is dead. A job
//! that waits or runs is the only one of its twin, and has in `again_…` what came while it ran.
//!
//! Every statement of a function is planned once in a session, for any values and any size of the tables: along an index.
//! Left to itself, the server plans those with arrays anew in each call, which takes longer than the work. A function in
//! SQL is planned anew in each call whatever one says, so all are in PL/pgSQL.
//!
//! Locks are taken in this order, so that calls do not block each other for good: jobs with a twin by their twins, then
//! the turns of owners in the order of their key, then tallies. Whatever looks for jobs passes over locked ones.

/// The second step of the schema.
pub(in super::super) const VERSION_2: &str = r#"
DO $do$ BEGIN
    EXECUTE format('CREATE SEQUENCE job_ids START %s', now_micros(NULL));
    EXECUTE format('CREATE SEQUENCE job_fences START %s', now_micros(NULL));
END $do$;

CREATE TABLE jobs (
    id bigint PRIMARY KEY,
    kind text COLLATE "C" NOT NULL,
    tenant text COLLATE "C" NOT NULL,
    "user" text COLLATE "C" NOT NULL,
    name text COLLATE "C",
    twin text COLLATE "C",
    priority smallint NOT NULL,
    state smallint NOT NULL,
    turn bigint,
    due_at bigint NOT NULL,
    failures integer NOT NULL DEFAULT 0,
    lost integer NOT NULL DEFAULT 0,
    fence bigint,
    enqueued_at bigint NOT NULL,
    started_at bigint,
    worker text,
    progress text,
    failure text,
    payload bytea NOT NULL,
    again_payload bytea,
    again_priority smallint,
    again_due bigint
) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 1000,
        autovacuum_vacuum_cost_delay = 0, autovacuum_analyze_scale_factor = 0.1);
CREATE UNIQUE INDEX jobs_twin ON jobs (twin) WHERE twin IS NOT NULL;
CREATE INDEX jobs_ready ON jobs (kind, priority, turn, id) WHERE state = 1;
CREATE INDEX jobs_due ON jobs (kind, state, due_at, id) WHERE state <> 1;

CREATE TABLE job_history (
    id bigint PRIMARY KEY,
    kind text COLLATE "C" NOT NULL,
    tenant text COLLATE "C" NOT NULL,
    "user" text COLLATE "C" NOT NULL,
    name text COLLATE "C",
    twin text COLLATE "C",
    priority smallint NOT NULL,
    state smallint NOT NULL,
    failures integer NOT NULL,
    lost integer NOT NULL,
    enqueued_at bigint NOT NULL,
    started_at bigint,
    finished_at bigint NOT NULL,
    worker text,
    progress text,
    failure text,
    payload bytea NOT NULL
);
CREATE INDEX job_history_finished ON job_history (finished_at);
CREATE INDEX job_history_dead ON job_history (kind) WHERE state = 4;

CREATE TABLE job_turns (
    kind text COLLATE "C",
    priority smallint,
    tenant text COLLATE "C",
    "user" text COLLATE "C",
    last bigint NOT NULL,
    given bigint NOT NULL,
    PRIMARY KEY (kind, priority, tenant, "user")
);
CREATE INDEX job_turns_last ON job_turns (kind, priority, last);

-- Several rows of a kind, so that those who count do not wait for each other.
CREATE TABLE job_tallies (
    kind text COLLATE "C",
    shard integer,
    done bigint NOT NULL,
    retried bigint NOT NULL,
    dead bigint NOT NULL,
    PRIMARY KEY (kind, shard)
) WITH (fillfactor = 50);

CREATE FUNCTION jobs_tally(kinds text[], states integer[]) RETURNS void LANGUAGE plpgsql AS $f$
#variable_conflict use_column
BEGIN
    INSERT INTO job_tallies AS t (kind, shard, done, retried, dead)
    SELECT n.kind, pg_backend_pid() % 64, count(*) FILTER (WHERE n.state = 3), count(*) FILTER (WHERE n.state = 0),
        count(*) FILTER (WHERE n.state = 4)
    FROM unnest(kinds, states) AS n (kind, state) WHERE n.state <> 1 GROUP BY 1 ORDER BY 1
    ON CONFLICT (kind, shard) DO UPDATE SET done = t.done + excluded.done, retried = t.retried + excluded.retried,
        dead = t.dead + excluded.dead;
END $f$;

-- The turn of each of these jobs, which come in this order.
CREATE FUNCTION jobs_turns(kinds text[], priorities smallint[], tenants text[], users text[]) RETURNS bigint[]
LANGUAGE plpgsql AS $f$
#variable_conflict use_column
DECLARE turns bigint[];
BEGIN
    WITH wanted AS MATERIALIZED (
        SELECT w.kind, w.priority, w.tenant, w."user", w.place,
            row_number() OVER (PARTITION BY w.kind, w.priority, w.tenant, w."user" ORDER BY w.place) AS number
        FROM unnest(kinds, priorities, tenants, users) WITH ORDINALITY AS w (kind, priority, tenant, "user", place)
    ), lanes AS MATERIALIZED (
        SELECT l.kind, l.priority, coalesce(
            (SELECT j.turn FROM jobs AS j WHERE j.state = 1 AND j.kind = l.kind AND j.priority = l.priority
             ORDER BY j.turn LIMIT 1),
            (SELECT t.last + 1 FROM job_turns AS t WHERE t.kind = l.kind AND t.priority = l.priority
             ORDER BY t.last DESC LIMIT 1), 1) AS base
        FROM (SELECT DISTINCT w.kind, w.priority FROM wanted AS w) AS l
    ), given AS (
        INSERT INTO job_turns AS t (kind, priority, tenant, "user", last, given)
        SELECT w.kind, w.priority, w.tenant, w."user", l.base + w.given - 1, w.given
        FROM (SELECT kind, priority, tenant, "user", count(*) AS given FROM wanted GROUP BY 1, 2, 3, 4) AS w
        JOIN lanes AS l ON l.kind = w.kind COLLATE "C" AND l.priority = w.priority
        ORDER BY w.kind COLLATE "C", w.priority, w.tenant COLLATE "C", w."user" COLLATE "C"
        ON CONFLICT (kind, priority, tenant, "user")
        DO UPDATE SET last = greatest(t.last + excluded.given, excluded.last), given = excluded.given
        RETURNING t.kind, t.priority, t.tenant, t."user", t.last, t.given
    )
    SELECT array_agg(g.last - g.given + w.number ORDER BY w.place) INTO turns
    FROM wanted AS w JOIN given AS g ON g.kind = w.kind COLLATE "C" AND g.priority = w.priority
        AND g.tenant = w.tenant COLLATE "C" AND g."user" = w."user" COLLATE "C";
    RETURN turns;
END $f$;

-- Those whose time has come take their turns, in the order of their times.
CREATE FUNCTION jobs_ripen(moment bigint, of_kind text) RETURNS void LANGUAGE plpgsql AS $f$
DECLARE ids bigint[]; kinds text[]; priorities smallint[]; tenants text[]; users text[]; turns bigint[];
BEGIN
    SELECT array_agg(r.id ORDER BY r.due_at, r.id), array_agg(r.kind), array_agg(r.priority ORDER BY r.due_at, r.id),
        array_agg(r.tenant ORDER BY r.due_at, r.id), array_agg(r."user" ORDER BY r.due_at, r.id)
    INTO ids, kinds, priorities, tenants, users
    FROM (SELECT j.id, j.kind, j.priority, j.tenant, j."user", j.due_at FROM jobs AS j
          WHERE j.kind = of_kind AND j.state = 0 AND j.due_at <= moment ORDER BY j.due_at, j.id LIMIT 1000
          FOR UPDATE SKIP LOCKED) AS r;
    IF ids IS NULL THEN RETURN; END IF;
    turns := jobs_turns(kinds, priorities, tenants, users);
    UPDATE jobs AS j SET state = 1, turn = r.turn FROM unnest(ids, turns) AS r (id, turn) WHERE j.id = r.id;
END $f$;

-- `how`: 0 added, 1 coalesced, 2 again. No twin stands here twice.
CREATE FUNCTION jobs_add(moment bigint, kinds text[], tenants text[], users text[], names text[], twins text[],
    priorities smallint[], dues bigint[], payloads bytea[], channel text)
RETURNS TABLE (place bigint, job bigint, how integer) LANGUAGE plpgsql
SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET enable_bitmapscan = off
SET enable_hashjoin = off SET enable_mergejoin = off AS $f$
#variable_conflict use_column
DECLARE ids bigint[]; turns bigint[]; of_kind text;
BEGIN
    -- Jobs without a twin take their turns at once, behind those whose time has come before.
    IF array_length(array_remove(twins, NULL), 1) IS NULL
        AND (SELECT bool_and(d <= moment) FROM unnest(dues) AS d) THEN
        FOR of_kind IN SELECT DISTINCT k FROM unnest(kinds) AS k ORDER BY 1 LOOP
            IF EXISTS (SELECT 1 FROM jobs AS j WHERE j.kind = of_kind AND j.state = 0 AND j.due_at <= moment) THEN
                PERFORM jobs_ripen(moment, of_kind);
            END IF;
        END LOOP;
        turns := jobs_turns(kinds, priorities, tenants, users);
    END IF;
    ids := ARRAY(SELECT nextval('job_ids') FROM generate_subscripts(kinds, 1));
    RETURN QUERY
    WITH new AS MATERIALIZED (
        SELECT * FROM unnest(ids, kinds, tenants, users, names, twins, priorities, dues, payloads, turns)
            WITH ORDINALITY AS n (id, kind, tenant, "user", name, twin, priority, due_at, payload, turn, place)
    ), added AS (
        INSERT INTO jobs AS j
            (id, kind, tenant, "user", name, twin, priority, state, turn, due_at, enqueued_at, payload)
        SELECT n.id, n.kind, n.tenant, n."user", n.name, n.twin, n.priority,
            CASE WHEN n.turn IS NULL THEN 0 ELSE 1 END, n.turn, n.due_at, moment, n.payload
        FROM new AS n ORDER BY n.twin COLLATE "C", n.id
        ON CONFLICT (twin) WHERE twin IS NOT NULL DO UPDATE SET
            again_payload = CASE WHEN j.state = 2 THEN excluded.payload END,
            again_priority = CASE WHEN j.state = 2 THEN least(j.again_priority, excluded.priority) END,
            again_due = CASE WHEN j.state = 2 THEN least(j.again_due, excluded.due_at) END,
            payload = CASE WHEN j.state = 2 THEN j.payload ELSE excluded.payload END,
            priority = CASE WHEN j.state = 2 THEN j.priority ELSE least(j.priority, excluded.priority) END,
            state = CASE WHEN j.state <> 2 AND excluded.priority < j.priority THEN 0 ELSE j.state END,
            turn = CASE WHEN j.state = 2 OR excluded.priority >= j.priority THEN j.turn END,
            due_at = CASE WHEN j.state = 2 OR j.failures > 0 THEN j.due_at
                ELSE least(j.due_at, excluded.due_at) END
        RETURNING j.id, j.twin, j.state
    )
    SELECT n.place, a.id, CASE WHEN a.id = n.id THEN 0 WHEN a.state = 2 THEN 2 ELSE 1 END
    FROM added AS a JOIN new AS n ON coalesce(a.twin, a.id::text) COLLATE "C" = coalesce(n.twin, n.id::text);
    IF channel IS NOT NULL THEN
        PERFORM jobs_notify(channel, kinds);
    END IF;
END $f$;

-- One notification, of all kinds; an empty one, for all there are, where they are too long for one.
CREATE FUNCTION jobs_notify(channel text, kinds text[]) RETURNS void LANGUAGE plpgsql AS $f$
#variable_conflict use_column
BEGIN
    PERFORM pg_notify(channel, CASE WHEN octet_length(n.named) < 7000 THEN n.named ELSE '' END)
    FROM (SELECT to_json(array_agg(DISTINCT k))::text AS named FROM unnest(kinds) AS k) AS n;
END $f$;

-- Those whose leases have run out wait again; those that were lost too often are dead.
CREATE FUNCTION jobs_put_back(moment bigint, of_kind text, most_lost integer) RETURNS void LANGUAGE plpgsql AS $f$
DECLARE ids bigint[]; one jobs;
BEGIN
    ids := ARRAY(SELECT j.id FROM jobs AS j WHERE j.kind = of_kind AND j.state = 2 AND j.due_at <= moment
                 ORDER BY j.due_at, j.id LIMIT 1000 FOR UPDATE SKIP LOCKED);
    FOR one IN DELETE FROM jobs AS j WHERE j.id = ANY (ids) AND j.lost + 1 >= most_lost RETURNING j.* LOOP
        INSERT INTO job_history (id, kind, tenant, "user", name, twin, priority, state, failures, lost, enqueued_at,
            started_at, finished_at, worker, progress, failure, payload)
        VALUES (one.id, one.kind, one.tenant, one."user", one.name, one.twin, one.priority, 4, one.failures,
            one.lost + 1, one.enqueued_at, one.started_at, moment, one.worker, one.progress,
            json_build_object('kind', 'cancelled', 'code', 'lease_lost', 'message', format(
                '%s workers have lost the job, the last was %s; see whether it crashes them, and put it into the '
                'queue again', most_lost, coalesce(one.worker, 'unknown')))::text, one.payload);
        IF one.again_payload IS NOT NULL THEN
            PERFORM jobs_add(moment, ARRAY[one.kind], ARRAY[one.tenant], ARRAY[one."user"], ARRAY[one.name],
                ARRAY[one.twin], ARRAY[least(one.again_priority)], ARRAY[one.again_due],
                ARRAY[one.again_payload], NULL);
        END IF;
        PERFORM jobs_tally(ARRAY[one.kind], ARRAY[4]);
    END LOOP;
    UPDATE jobs AS j SET
        state = CASE WHEN j.again_priority < j.priority THEN 0 ELSE 1 END,
        turn = CASE WHEN j.again_priority < j.priority THEN NULL ELSE j.turn END,
        lost = j.lost + 1, payload = coalesce(j.again_payload, j.payload),
        priority = least(j.again_priority, j.priority),
        again_payload = NULL, again_priority = NULL, again_due = NULL
    WHERE j.id = ANY (ids);
END $f$;

-- The jobs, and a row without an id that says in how long the next is due.
CREATE FUNCTION jobs_lease(given bigint, kinds text[], mosts bigint[], ttl bigint, who text, most_lost integer)
RETURNS SETOF jobs LANGUAGE plpgsql
SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET enable_bitmapscan = off
SET enable_hashjoin = off SET enable_mergejoin = off AS $f$
DECLARE
    moment bigint := now_micros(given);
    total bigint; taken bigint; held bigint; tried boolean; of_kind text; most bigint; ends bigint; ripens bigint;
    upcoming jobs;
BEGIN
    FOR round IN 1..10 LOOP
        total := 0;
        upcoming.due_at := NULL;
        FOR of_kind, most IN SELECT * FROM unnest(kinds, mosts) ORDER BY 1 LOOP
            total := total + most;
            tried := most = 0;
            LOOP
                SELECT
                    (SELECT j.due_at FROM jobs AS j WHERE j.kind = of_kind AND j.state = 2 ORDER BY j.due_at LIMIT 1),
                    (SELECT j.due_at FROM jobs AS j WHERE j.kind = of_kind AND j.state = 0 ORDER BY j.due_at LIMIT 1)
                INTO ends, ripens;
                EXIT WHEN tried OR coalesce(least(ends, ripens) > moment, true);
                IF ends <= moment THEN
                    PERFORM jobs_put_back(moment, of_kind, most_lost);
                END IF;
                PERFORM jobs_ripen(moment, of_kind);
                tried := true;
            END LOOP;
            upcoming.due_at := least(upcoming.due_at, ends, ripens);
        END LOOP;
        RETURN QUERY
        WITH picked AS MATERIALIZED (
            SELECT j.id FROM unnest(kinds, mosts) AS k (kind, most), LATERAL (
                SELECT j.id FROM jobs AS j WHERE j.state = 1 AND j.kind = k.kind
                ORDER BY j.priority, j.turn, j.id LIMIT k.most FOR UPDATE SKIP LOCKED) AS j
        ), numbered AS MATERIALIZED (SELECT p.id, nextval('job_fences') AS fence FROM picked AS p)
        UPDATE jobs AS j SET state = 2, due_at = moment + ttl, started_at = moment, worker = who, fence = n.fence
        FROM numbered AS n WHERE j.id = n.id RETURNING j.*;
        GET DIAGNOSTICS taken = ROW_COUNT;
        EXIT WHEN taken > 0;
        -- What was passed over may only be about to change: so nobody is told that there is nothing.
        SELECT j.id INTO held FROM unnest(kinds, mosts) AS k (kind, most), LATERAL (
            (SELECT j.id FROM jobs AS j WHERE j.state = 1 AND j.kind = k.kind LIMIT 1) UNION ALL
            (SELECT j.id FROM jobs AS j WHERE j.state = 0 AND j.kind = k.kind AND j.due_at <= moment LIMIT 1)) AS j
        WHERE k.most > 0 LIMIT 1;
        EXIT WHEN held IS NULL;
        PERFORM 1 FROM jobs AS j WHERE j.id = held FOR UPDATE;
    END LOOP;
    upcoming.due_at := least(upcoming.due_at, CASE WHEN taken > 0 THEN moment + ttl END) - moment;
    -- What is ready and was passed over, or came meanwhile, is asked for once more.
    IF taken < total AND EXISTS (SELECT 1 FROM unnest(kinds, mosts) AS k (kind, most) WHERE k.most > 0 AND EXISTS (
        SELECT 1 FROM jobs AS j WHERE j.state = 1 AND j.kind = k.kind)) THEN
        upcoming.turn := 1;
    END IF;
    RETURN NEXT upcoming;
END $f$;

-- `states`: 0 retry, 1 release, 3 done, 4 dead. Returns the fences of the leases that were held. No lease stands here twice.
CREATE FUNCTION jobs_settle(given bigint, ids bigint[], fences bigint[], states integer[], delays bigint[],
    failed text[], progressed text[], repeats bigint[], payloads bytea[], channel text)
RETURNS SETOF bigint LANGUAGE plpgsql
SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET enable_bitmapscan = off
SET enable_hashjoin = off SET enable_mergejoin = off AS $f$
DECLARE
    moment bigint := now_micros(given);
    over_fences bigint[]; over_kinds text[]; over_states integer[]; back_fences bigint[]; back_kinds text[];
    back_states integer[]; news text[];
    kinds text[]; tenants text[]; users text[]; names text[]; twins text[]; priorities smallint[]; dues bigint[];
    nexts bytea[];
BEGIN
    -- Nobody waits for the disk: what a crash of the server undoes is done once more.
    PERFORM set_config('synchronous_commit', 'off', true);
    PERFORM 1 FROM jobs AS j WHERE j.id = ANY (ids) AND j.twin IS NOT NULL ORDER BY j.twin FOR UPDATE;
    WITH gone AS (
        DELETE FROM jobs AS j
        USING unnest(ids, fences, states, failed, progressed, repeats, payloads)
            AS s (id, fence, state, failure, progress, repeat, payload)
        WHERE s.state >= 3 AND j.id = s.id AND j.fence = s.fence AND j.state = 2
        RETURNING j.*, s.state AS ended, s.failure AS why, s.progress AS far, s.repeat, s.payload AS other
    ), kept AS (
        INSERT INTO job_history (id, kind, tenant, "user", name, twin, priority, state, failures, lost, enqueued_at,
            started_at, finished_at, worker, progress, failure, payload)
        SELECT g.id, g.kind, g.tenant, g."user", g.name, g.twin, g.priority, g.ended, g.failures, g.lost,
            g.enqueued_at, g.started_at, moment, g.worker, coalesce(g.far, g.progress), coalesce(g.why, g.failure),
            g.payload
        FROM gone AS g
    ), over AS (
        SELECT g.*, g.repeat IS NOT NULL OR g.again_payload IS NOT NULL AS goes_on FROM gone AS g
    )
    SELECT array_agg(g.fence), array_agg(g.kind), array_agg(g.ended),
        array_agg(g.kind) FILTER (WHERE g.goes_on), array_agg(g.tenant) FILTER (WHERE g.goes_on),
        array_agg(g."user") FILTER (WHERE g.goes_on), array_agg(g.name) FILTER (WHERE g.goes_on),
        array_agg(g.twin) FILTER (WHERE g.goes_on),
        array_agg(CASE WHEN g.repeat IS NULL THEN g.again_priority ELSE least(g.priority, g.again_priority) END)
            FILTER (WHERE g.goes_on),
        array_agg(least(moment + g.repeat, g.again_due)) FILTER (WHERE g.goes_on),
        array_agg(coalesce(g.again_payload, g.other, g.payload)) FILTER (WHERE g.goes_on)
    INTO over_fences, over_kinds, over_states, kinds, tenants, users, names, twins, priorities, dues, nexts
    FROM over AS g;
    IF kinds IS NOT NULL THEN
        PERFORM jobs_add(moment, kinds, tenants, users, names, twins, priorities, dues, nexts, NULL);
    END IF;
    IF states && ARRAY[0, 1] THEN
        WITH back AS (
            UPDATE jobs AS j SET
                state = CASE WHEN s.state = 0 OR j.turn IS NULL OR j.again_priority < j.priority THEN 0 ELSE 1 END,
                turn = CASE WHEN s.state = 0 OR j.again_priority < j.priority THEN NULL ELSE j.turn END,
                due_at = moment + s.delay, failures = j.failures + CASE WHEN s.state = 0 THEN 1 ELSE 0 END,
                failure = coalesce(s.failure, j.failure), progress = coalesce(s.progress, j.progress),
                payload = coalesce(j.again_payload, j.payload), priority = least(j.again_priority, j.priority),
                again_payload = NULL, again_priority = NULL, again_due = NULL
            FROM unnest(ids, fences, states, delays, failed, progressed)
                AS s (id, fence, state, delay, failure, progress)
            WHERE s.state < 3 AND j.id = s.id AND j.fence = s.fence AND j.state = 2
            RETURNING j.fence, j.kind, s.state AS ended
        )
        SELECT array_agg(b.fence), array_agg(b.kind), array_agg(b.ended) INTO back_fences, back_kinds, back_states
        FROM back AS b;
    END IF;
    news := kinds || back_kinds;
    IF news IS NOT NULL THEN
        PERFORM jobs_notify(channel, news);
    END IF;
    IF over_fences IS NOT NULL OR back_fences IS NOT NULL THEN
        PERFORM jobs_tally(over_kinds || back_kinds, over_states || back_states);
    END IF;
    RETURN QUERY SELECT unnest(over_fences || back_fences);
END $f$;
"#;
