-- What an installation holds, in counts alone, for its administrators' metrics. Policies bind the tables' owner as well: he gets one a
-- table to look through, and what he may lend is this function, which tells no row of anybody.
DO $$
DECLARE t text;
BEGIN
  FOREACH t IN ARRAY ARRAY['training_jobs', 'user_queues', 'model_artifacts', 'base_models', 'transfers', 'webhook_deliveries', 'workers',
                           'gpu_devices', 'gpu_leases'] LOOP
    EXECUTE format('CREATE POLICY %I ON lowrank.%I FOR SELECT TO CURRENT_USER USING (true)', t || '_counted', t);
  END LOOP;
END $$;
--> statement-breakpoint
CREATE FUNCTION lowrank.installation_figures() RETURNS jsonb LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog AS $$
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
      FROM (SELECT d.kind, CASE WHEN d.quarantined_at IS NOT NULL THEN 'quarantined' WHEN l.id IS NOT NULL THEN 'leased' ELSE 'free' END AS state,
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
REVOKE ALL ON FUNCTION lowrank.installation_figures() FROM PUBLIC;
--> statement-breakpoint
GRANT EXECUTE ON FUNCTION lowrank.installation_figures() TO lowrank_identity;
