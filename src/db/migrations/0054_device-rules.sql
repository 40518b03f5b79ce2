-- What a device does, told alike in lists and figures; the first that holds.
CREATE FUNCTION lowrank.device_state(d lowrank.gpu_devices) RETURNS text LANGUAGE sql STABLE SET search_path = pg_catalog AS $$
  SELECT CASE WHEN d.quarantined_at IS NOT NULL THEN 'quarantined'
    WHEN EXISTS (SELECT FROM lowrank.gpu_leases l WHERE l.device_id = d.id AND l.released_at IS NULL) THEN 'leased'
    WHEN d.foreign_processes > 0 THEN 'occupied' WHEN d.drained_at IS NOT NULL THEN 'drained' ELSE 'free' END
$$;
--> statement-breakpoint
REVOKE ALL ON FUNCTION lowrank.device_state(lowrank.gpu_devices) FROM PUBLIC;
--> statement-breakpoint
GRANT EXECUTE ON FUNCTION lowrank.device_state(lowrank.gpu_devices) TO lowrank_identity;
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
      FROM (SELECT d.kind, lowrank.device_state(d) AS state, count(*) AS n FROM lowrank.gpu_devices d GROUP BY 1, 2) s),
    'leases', (SELECT coalesce(jsonb_agg(jsonb_build_object('kind', kind, 'count', n)), '[]')
      FROM (SELECT d.kind, count(*) AS n FROM lowrank.gpu_leases l JOIN lowrank.gpu_devices d ON d.id = l.device_id
        WHERE l.released_at IS NULL GROUP BY d.kind) s),
    'workers', (SELECT coalesce(jsonb_agg(jsonb_build_object('id', id, 'silent_s', silent_s)), '[]')
      FROM (SELECT id, round(greatest(0, extract(epoch FROM clock_timestamp() - heartbeat_at)), 3) AS silent_s
        FROM lowrank.workers WHERE stopped_at IS NULL ORDER BY heartbeat_at DESC LIMIT 100) s))
$$;
--> statement-breakpoint
-- What somebody else gave back is looked at now and not at the next sweep.
CREATE TRIGGER tell_free AFTER UPDATE OF foreign_processes ON lowrank.gpu_devices FOR EACH ROW
  WHEN (NEW.foreign_processes = 0 AND OLD.foreign_processes > 0) EXECUTE FUNCTION lowrank.tell_work();
