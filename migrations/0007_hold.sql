-- A wake that whoever sends it holds from the start, where the limits have room: nobody else is given it meanwhile.
-- No rows where they have none.
CREATE FUNCTION sheaf_queue.hold_wake(
  queue_name text, holder text, lease_seconds int, run_id text, job_id text, tenant text, urgency int,
  per_node int, per_tenant int, overall int
) RETURNS SETOF sheaf_queue.job_common LANGUAGE plpgsql
SET enable_seqscan = off SET plan_cache_mode = force_generic_plan AS $$
DECLARE
  held record;
BEGIN
  PERFORM pg_advisory_xact_lock(hashtextextended('sheaf_queue.' || queue_name, 0));
  SELECT count(*) AS of_all, count(*) FILTER (WHERE j.output = to_jsonb(holder)) AS of_node,
    count(*) FILTER (WHERE j.group_tier = tenant) AS of_tenant
  INTO held FROM sheaf_queue.job_common j WHERE j.name = queue_name AND j.state = 'active';
  IF held.of_all >= overall OR held.of_node >= per_node OR held.of_tenant >= per_tenant THEN RETURN; END IF;
  RETURN QUERY INSERT INTO sheaf_queue.job_common
    (name, singleton_key, group_id, group_tier, priority, state, started_on, heartbeat_on, output, policy,
      heartbeat_seconds, expire_seconds, keep_until)
  VALUES (queue_name, run_id, job_id, tenant, urgency, 'active', clock_timestamp(), clock_timestamp(),
    to_jsonb(holder), 'stately', lease_seconds, 2147483647, 'infinity')
  ON CONFLICT DO NOTHING RETURNING *;
END $$;
