-- Wakes in pg-boss's table: a row a wake, `singleton_key` its run, `group_id` its job, `group_tier` its tenant,
-- `output` the node that holds it, `retry_count` the deaths of those that held it before. A row is held once in its
-- life: a wake that goes back into the queue is a new row, so its id is the right to end it.
-- `created_on` is no time of day but the wake's place in its queue: the virtual start of start-time fair queueing
-- (Goyal, Vin and Cheng, 1996), counted in seconds, apart for each priority. pg-boss's index job_i11 is that order.
-- The functions plan once in a session, and by the indexes: this table is too often empty to have statistics.
-- No wake is ever too old, waiting or held, whoever lets pg-boss itself look after this table.
SELECT sheaf_queue.create_queue('jobs', '{"policy": "stately", "retryLimit": 3, "heartbeatSeconds": 10}');
--> statement-breakpoint
SELECT sheaf_queue.create_queue('runs', '{"policy": "stately", "retryLimit": 3, "heartbeatSeconds": 10}');
--> statement-breakpoint
CREATE INDEX wakes_of_job ON sheaf_queue.job_common (name, group_id, priority, created_on) WHERE state <= 'active';
--> statement-breakpoint
CREATE FUNCTION sheaf_queue.send_wakes(
  queue_name text, lease_seconds int,
  run_ids text[], job_ids text[], tenants text[], priorities int[], starts timestamptz[]
) RETURNS void LANGUAGE plpgsql
SET enable_sort = off SET enable_seqscan = off SET plan_cache_mode = force_generic_plan AS $$
BEGIN
  -- What is in service tells the virtual time; where nothing is, what is next. A run that waits already is woken no
  -- later and no less urgently than this asks.
  WITH incoming AS MATERIALIZED (
    SELECT u.*, row_number() OVER (PARTITION BY u.job_id, u.priority ORDER BY u.nth) AS place
    FROM unnest(run_ids, job_ids, tenants, priorities, starts)
      WITH ORDINALITY AS u (run_id, job_id, tenant, priority, start, nth)
  ), flows AS MATERIALIZED (
    SELECT f.job_id, f.priority, greatest(
      coalesce(
        (SELECT max(a.created_on) FROM sheaf_queue.job_common a
          WHERE a.name = queue_name AND a.state = 'active' AND a.priority = f.priority),
        (SELECT q.created_on FROM sheaf_queue.job_common q
          WHERE q.name = queue_name AND q.state < 'active' AND NOT q.blocked AND q.priority = f.priority
          ORDER BY q.priority DESC, q.created_on LIMIT 1),
        'epoch'),
      (SELECT m.created_on FROM sheaf_queue.job_common m
        WHERE m.name = queue_name AND m.group_id = f.job_id AND m.priority = f.priority AND m.state <= 'active'
        ORDER BY m.name DESC, m.group_id DESC, m.priority DESC, m.created_on DESC LIMIT 1)
    ) AS last
    FROM (SELECT DISTINCT i.job_id, i.priority FROM incoming i) f
  )
  INSERT INTO sheaf_queue.job_common AS kept
    (name, singleton_key, group_id, group_tier, priority, start_after, created_on, policy, heartbeat_seconds,
      expire_seconds, keep_until)
  SELECT queue_name, i.run_id, i.job_id, i.tenant, i.priority, coalesce(i.start, clock_timestamp()),
    f.last + i.place * interval '1 second', 'stately', lease_seconds, 2147483647, 'infinity'
  FROM incoming i JOIN flows f ON f.job_id = i.job_id AND f.priority = i.priority
  ON CONFLICT (name, state, coalesce(singleton_key, '')) WHERE state <= 'active' AND policy = 'stately'
  DO UPDATE SET start_after = least(kept.start_after, excluded.start_after),
    priority = greatest(kept.priority, excluded.priority);
  PERFORM pg_notify('sheaf_queue', queue_name);
END $$;
--> statement-breakpoint
CREATE FUNCTION sheaf_queue.take_wakes(
  queue_name text, holder text, per_node int, per_job int, per_tenant int, overall int
) RETURNS SETOF sheaf_queue.job_common LANGUAGE plpgsql
SET enable_sort = off SET enable_seqscan = off SET plan_cache_mode = force_generic_plan AS $$
DECLARE
  room int;
  held_runs text[];
  held_by_job jsonb;
  held_by_tenant jsonb;
  of_job int;
  of_tenant int;
  picked tid[] := '{}';
  wake record;
BEGIN
  -- One at a time over all nodes: each statement below sees what the one before it took. Nobody holds this lock
  -- longer than this function runs, however its client fares.
  PERFORM pg_advisory_xact_lock(hashtextextended('sheaf_queue.' || queue_name, 0));
  SELECT least(per_node - count(*) FILTER (WHERE output = to_jsonb(holder)), overall - count(*)),
    coalesce(array_agg(singleton_key), '{}')
  INTO room, held_runs FROM sheaf_queue.job_common WHERE name = queue_name AND state = 'active';
  IF room <= 0 THEN RETURN; END IF;
  SELECT coalesce(jsonb_object_agg(group_id, n), '{}') INTO held_by_job FROM (
    SELECT group_id, count(*) AS n FROM sheaf_queue.job_common
    WHERE name = queue_name AND state = 'active' GROUP BY group_id) held;
  SELECT coalesce(jsonb_object_agg(group_tier, n), '{}') INTO held_by_tenant FROM (
    SELECT group_tier, count(*) AS n FROM sheaf_queue.job_common
    WHERE name = queue_name AND state = 'active' GROUP BY group_tier) held;
  FOR wake IN
    SELECT ctid AS place, group_id, group_tier FROM sheaf_queue.job_common
    WHERE name = queue_name AND state < 'active' AND NOT blocked AND start_after <= clock_timestamp()
      AND singleton_key <> ALL (held_runs)
      AND group_id <> ALL (ARRAY(SELECT key FROM jsonb_each_text(held_by_job) WHERE value::int >= per_job))
      AND group_tier <> ALL (ARRAY(SELECT key FROM jsonb_each_text(held_by_tenant) WHERE value::int >= per_tenant))
    ORDER BY priority DESC, created_on
  LOOP
    of_job := coalesce((held_by_job ->> wake.group_id)::int, 0);
    of_tenant := coalesce((held_by_tenant ->> wake.group_tier)::int, 0);
    CONTINUE WHEN of_job >= per_job OR of_tenant >= per_tenant;
    held_by_job := held_by_job || jsonb_build_object(wake.group_id, of_job + 1);
    held_by_tenant := held_by_tenant || jsonb_build_object(wake.group_tier, of_tenant + 1);
    picked := picked || wake.place;
    room := room - 1;
    EXIT WHEN room = 0;
  END LOOP;
  -- Whatever a transaction of somebody's has its hands on is left for the next time.
  RETURN QUERY
    WITH free AS (SELECT ctid AS place FROM sheaf_queue.job_common WHERE ctid = ANY (picked) FOR UPDATE SKIP LOCKED)
    UPDATE sheaf_queue.job_common j
    SET state = 'active', started_on = clock_timestamp(), heartbeat_on = clock_timestamp(), output = to_jsonb(holder)
    FROM free WHERE j.ctid = free.place RETURNING j.*;
END $$;
--> statement-breakpoint
CREATE FUNCTION sheaf_queue.end_wakes(queue_name text, ids uuid[]) RETURNS SETOF uuid LANGUAGE plpgsql SET plan_cache_mode = force_generic_plan AS $$
BEGIN
  RETURN QUERY DELETE FROM sheaf_queue.job_common j
    WHERE j.name = queue_name AND j.id = ANY (ids) AND j.state = 'active' RETURNING j.id;
  PERFORM pg_notify('sheaf_queue', queue_name);
END $$;
--> statement-breakpoint
CREATE FUNCTION sheaf_queue.return_wakes(
  queue_name text, ids uuid[], start timestamptz, deaths int, if_expired boolean
) RETURNS SETOF uuid LANGUAGE plpgsql SET plan_cache_mode = force_generic_plan AS $$
BEGIN
  -- Where the run was woken again meanwhile, both are one wake.
  RETURN QUERY
    WITH mine AS (
      DELETE FROM sheaf_queue.job_common j
      WHERE j.name = queue_name AND j.id = ANY (ids) AND j.state = 'active'
        AND (NOT if_expired OR j.heartbeat_on + j.heartbeat_seconds * interval '1 second' < clock_timestamp())
      RETURNING j.*
    ), back AS (
      INSERT INTO sheaf_queue.job_common AS kept
        (name, singleton_key, group_id, group_tier, priority, start_after, created_on, policy, heartbeat_seconds,
          expire_seconds, keep_until, retry_count)
      SELECT name, singleton_key, group_id, group_tier, priority, coalesce(start, clock_timestamp()), created_on, policy,
        heartbeat_seconds, expire_seconds, keep_until, retry_count + deaths
      FROM mine
      ON CONFLICT (name, state, coalesce(singleton_key, '')) WHERE state <= 'active' AND policy = 'stately'
      DO UPDATE SET start_after = least(kept.start_after, excluded.start_after),
        priority = greatest(kept.priority, excluded.priority), created_on = least(kept.created_on, excluded.created_on),
        retry_count = greatest(kept.retry_count, excluded.retry_count)
    )
    SELECT mine.id FROM mine;
  PERFORM pg_notify('sheaf_queue', queue_name);
END $$;
