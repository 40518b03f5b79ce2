-- Administrators see the machines and what they are given to, and drain a device; through the identity login, as all that is theirs to decide.
GRANT SELECT ON lowrank.workers, lowrank.gpu_devices, lowrank.gpu_leases TO lowrank_identity;
--> statement-breakpoint
GRANT UPDATE (drained_at) ON lowrank.gpu_devices TO lowrank_identity;
--> statement-breakpoint
-- Whoever gets more room, and what is let in again, is looked at now and not at the next sweep.
CREATE TRIGGER tell_work AFTER UPDATE OF active_max ON lowrank.user_queues FOR EACH ROW
  WHEN (NEW.active_max > OLD.active_max) EXECUTE FUNCTION lowrank.tell_work();
--> statement-breakpoint
CREATE TRIGGER tell_work AFTER UPDATE OF drained_at ON lowrank.gpu_devices FOR EACH ROW
  WHEN (NEW.drained_at IS NULL AND OLD.drained_at IS NOT NULL) EXECUTE FUNCTION lowrank.tell_work();
--> statement-breakpoint
CREATE OR REPLACE FUNCTION lowrank.installation_figures() RETURNS jsonb LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog AS $$
  SELECT jsonb_build_object(
    'jobs', (SELECT coalesce(jsonb_object_agg(status, n), '{}') FROM (SELECT status, count(*) AS n FROM lowrank.training_jobs GROUP BY status) s),
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
CREATE OR REPLACE FUNCTION lowrank.queue_outlook(silent_ms integer) RETURNS jsonb LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog AS $$
  WITH live AS (
    SELECT id, coalesce(facts ->> 'disk_full' = 'true', false) AS disk_full FROM lowrank.workers
    WHERE stopped_at IS NULL AND heartbeat_at > clock_timestamp() - silent_ms * interval '1 ms'
  ), devices AS (
    SELECT l.job_id, extract(epoch FROM j.estimated_completion_at - clock_timestamp()) AS end_in_s
    FROM lowrank.gpu_devices d JOIN live ON live.id = d.worker_id
      LEFT JOIN lowrank.gpu_leases l ON l.device_id = d.id AND l.released_at IS NULL
      LEFT JOIN lowrank.training_jobs j ON j.id = l.job_id
    WHERE d.quarantined_at IS NULL AND d.drained_at IS NULL
  ), others AS (
    SELECT FROM lowrank.user_queues q, lowrank.user_queues mine
    WHERE mine.user_id = auth.uid() AND q.user_id <> mine.user_id AND q.queued > 0 AND q.active < q.active_max
      AND (q.active, coalesce(q.last_claimed_at, '-infinity')) < (mine.active, coalesce(mine.last_claimed_at, '-infinity'))
    LIMIT 1000
  )
  SELECT jsonb_build_object(
    'workers', (SELECT count(*) FROM live),
    'disk_full', (SELECT coalesce(bool_and(disk_full), false) FROM live),
    'free', (SELECT count(*) FROM devices WHERE job_id IS NULL),
    'busy_end_in_s', (SELECT coalesce(jsonb_agg(end_in_s ORDER BY end_in_s), '[]') FROM devices WHERE job_id IS NOT NULL),
    'others_before', (SELECT count(*) FROM others))
  WHERE auth.uid() IS NOT NULL
$$;
