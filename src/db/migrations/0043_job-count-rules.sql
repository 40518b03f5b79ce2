-- How many jobs of a person ended how is counted with the queue, so that nobody has to look at what is over to tell it.
LOCK TABLE lowrank.training_jobs IN SHARE ROW EXCLUSIVE MODE;
--> statement-breakpoint
CREATE OR REPLACE FUNCTION lowrank.count_job() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog AS $$
DECLARE
  queued_before integer := 0; active_before integer := 0; queued_after integer := 0; active_after integer := 0;
  status_before text := ''; status_after text := '';
  owner uuid := CASE WHEN TG_OP = 'DELETE' THEN OLD.user_id ELSE NEW.user_id END;
BEGIN
  IF TG_OP <> 'INSERT' THEN
    queued_before := (OLD.status = 'queued' AND OLD.held_at IS NULL AND OLD.current_stage IS DISTINCT FROM 'fetching_model')::integer;
    active_before := (OLD.slot IS NOT NULL)::integer;
    status_before := OLD.status;
  END IF;
  IF TG_OP <> 'DELETE' THEN
    queued_after := (NEW.status = 'queued' AND NEW.held_at IS NULL AND NEW.current_stage IS DISTINCT FROM 'fetching_model')::integer;
    active_after := (NEW.slot IS NOT NULL)::integer;
    status_after := NEW.status;
  END IF;
  IF queued_after <> queued_before OR active_after <> active_before OR status_after <> status_before THEN
    UPDATE lowrank.user_queues SET queued = queued + queued_after - queued_before, active = active + active_after - active_before,
        waiting = waiting + (status_after = 'queued')::integer - (status_before = 'queued')::integer,
        completed = completed + (status_after = 'completed')::integer - (status_before = 'completed')::integer,
        failed = failed + (status_after = 'failed')::integer - (status_before = 'failed')::integer,
        cancelled = cancelled + (status_after = 'cancelled')::integer - (status_before = 'cancelled')::integer
      WHERE user_id = owner;
  END IF;
  IF TG_OP = 'INSERT' THEN
    INSERT INTO lowrank.job_events (job_id, user_id, seq, type, to_status, attempt) VALUES (NEW.id, NEW.user_id, 1, 'state', NEW.status, 0);
  END IF;
  RETURN NULL;
END $$;
--> statement-breakpoint
GRANT UPDATE (waiting, completed, failed, cancelled) ON lowrank.user_queues TO lowrank_web;
--> statement-breakpoint
-- What there is already is counted once, by the tables' owner, whom policies bind as well.
ALTER TABLE lowrank.user_queues NO FORCE ROW LEVEL SECURITY;
--> statement-breakpoint
UPDATE lowrank.user_queues q SET waiting = j.waiting, completed = j.completed, failed = j.failed, cancelled = j.cancelled
FROM (SELECT user_id, count(*) FILTER (WHERE status = 'queued') AS waiting, count(*) FILTER (WHERE status = 'completed') AS completed,
        count(*) FILTER (WHERE status = 'failed') AS failed, count(*) FILTER (WHERE status = 'cancelled') AS cancelled
      FROM lowrank.training_jobs GROUP BY user_id) j
WHERE j.user_id = q.user_id;
--> statement-breakpoint
ALTER TABLE lowrank.user_queues FORCE ROW LEVEL SECURITY;
--> statement-breakpoint
CREATE OR REPLACE FUNCTION lowrank.installation_figures() RETURNS jsonb LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog AS $$
  SELECT jsonb_build_object(
    'jobs', (SELECT jsonb_build_object('queued', coalesce(sum(waiting), 0), 'completed', coalesce(sum(completed), 0),
        'failed', coalesce(sum(failed), 0), 'cancelled', coalesce(sum(cancelled), 0)) FROM lowrank.user_queues)
      || (SELECT coalesce(jsonb_object_agg(status, n), '{}') FROM (SELECT status, count(*) AS n FROM lowrank.training_jobs
        WHERE status IN ('initializing', 'running') GROUP BY status) s),
    'queue', jsonb_build_object(
      'in_line', (SELECT coalesce(sum(queued), 0) FROM lowrank.user_queues),
      'fetching_model', (SELECT count(*) FROM lowrank.training_jobs WHERE status = 'queued' AND current_stage = 'fetching_model')),
    'storage', jsonb_build_object(
      'datasets', (SELECT coalesce(sum(file_size), 0) FROM lowrank.datasets WHERE purged_at IS NULL),
      'artifacts', (SELECT coalesce(sum(size), 0) FROM lowrank.model_artifacts WHERE purged_at IS NULL),
      'models', (SELECT coalesce(sum(size_bytes), 0) FROM lowrank.base_models WHERE hf_repo_id IS NOT NULL AND purged_at IS NULL)),
    'deliveries', (SELECT coalesce(jsonb_object_agg(status, n), '{}')
      FROM (SELECT status, count(*) AS n FROM lowrank.webhook_deliveries GROUP BY status) s),
    'transfers', (SELECT coalesce(jsonb_agg(jsonb_build_object('kind', kind, 'status', status, 'count', n)), '[]')
      FROM (SELECT kind, status, count(*) AS n FROM lowrank.transfers GROUP BY kind, status) s),
    'devices', (SELECT coalesce(jsonb_agg(jsonb_build_object('kind', kind, 'state', state, 'count', n)), '[]')
      FROM (SELECT d.kind, CASE WHEN d.quarantined_at IS NOT NULL THEN 'quarantined' WHEN l.id IS NOT NULL THEN 'leased'
            WHEN d.drained_at IS NOT NULL THEN 'drained' ELSE 'free' END AS state,
          count(*) AS n
        FROM lowrank.gpu_devices d LEFT JOIN lowrank.gpu_leases l ON l.device_id = d.id AND l.released_at IS NULL GROUP BY 1, 2) s),
    'leases', (SELECT coalesce(jsonb_agg(jsonb_build_object('kind', kind, 'count', n)), '[]')
      FROM (SELECT d.kind, count(*) AS n FROM lowrank.gpu_leases l JOIN lowrank.gpu_devices d ON d.id = l.device_id
        WHERE l.released_at IS NULL GROUP BY d.kind) s),
    'workers', (SELECT coalesce(jsonb_agg(jsonb_build_object('id', id, 'silent_s', silent_s)), '[]')
      FROM (SELECT id, round(greatest(0, extract(epoch FROM clock_timestamp() - heartbeat_at)), 3) AS silent_s
        FROM lowrank.workers WHERE stopped_at IS NULL ORDER BY heartbeat_at DESC LIMIT 100) s))
$$;
--> statement-breakpoint
-- The feed of a person has an end: what is older than the newest ten thousand falls away.
GRANT DELETE ON lowrank.activities TO lowrank_scheduler;
