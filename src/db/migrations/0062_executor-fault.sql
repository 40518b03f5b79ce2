-- A device whose worker cannot start runs now, because what it starts them by is away or lacks something, is told as that.
CREATE OR REPLACE FUNCTION lowrank.queue_outlook(silent_ms integer) RETURNS jsonb LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog AS $$
  WITH live AS (
    SELECT id, coalesce(facts ->> 'disk_full' = 'true', false) AS disk_full,
      coalesce(jsonb_typeof(facts -> 'executor_fault') <> 'null', false) AS cannot_start FROM lowrank.workers
    WHERE stopped_at IS NULL AND heartbeat_at > clock_timestamp() - silent_ms * interval '1 ms'
  ), devices AS (
    SELECT jsonb_build_object('host', d.worker_id, 'kind', d.kind, 'name', d.name, 'is_part', d.mig_profile IS NOT NULL,
      'takes_work', live.id IS NOT NULL AND d.quarantined_at IS NULL AND d.drained_at IS NULL, 'occupied', d.foreign_processes > 0,
      'cannot_start', coalesce(live.cannot_start, false),
      'leased', l.id IS NOT NULL, 'end_in_s', extract(epoch FROM j.estimated_completion_at - clock_timestamp()),
      'kept_for', CASE WHEN r.user_id = auth.uid() THEN r.job_id::text WHEN r.job_id IS NOT NULL THEN 'others' END) AS told
    FROM lowrank.gpu_devices d LEFT JOIN live ON live.id = d.worker_id
      LEFT JOIN lowrank.gpu_leases l ON l.device_id = d.id AND l.released_at IS NULL
      LEFT JOIN lowrank.training_jobs j ON j.id = l.job_id
      LEFT JOIN lowrank.gpu_reservations r ON r.worker_id = d.worker_id AND d.id = ANY (r.device_ids)
    ORDER BY d.worker_id, d.uuid LIMIT 1000
  ), others AS (
    SELECT FROM lowrank.user_queues q, lowrank.user_queues mine
    WHERE mine.user_id = auth.uid() AND q.user_id <> mine.user_id AND q.queued > 0 AND q.active < q.active_max
      AND (q.active, coalesce(q.last_claimed_at, '-infinity')) < (mine.active, coalesce(mine.last_claimed_at, '-infinity'))
    LIMIT 1000
  )
  SELECT jsonb_build_object(
    'workers', (SELECT count(*) FROM live),
    'answering', (SELECT coalesce(jsonb_agg(id), '[]') FROM live),
    'disk_full', (SELECT coalesce(bool_and(disk_full), false) FROM live),
    'devices', (SELECT coalesce(jsonb_agg(told), '[]') FROM devices),
    'others_before', (SELECT count(*) FROM others))
  WHERE auth.uid() IS NOT NULL
$$;
