-- Which workers answer: a paused training goes on where its checkpoint lies.
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
    'answering', (SELECT coalesce(jsonb_agg(id), '[]') FROM live),
    'disk_full', (SELECT coalesce(bool_and(disk_full), false) FROM live),
    'free', (SELECT count(*) FROM devices WHERE job_id IS NULL),
    'busy_end_in_s', (SELECT coalesce(jsonb_agg(end_in_s ORDER BY end_in_s), '[]') FROM devices WHERE job_id IS NOT NULL),
    'others_before', (SELECT count(*) FROM others))
  WHERE auth.uid() IS NOT NULL
$$;
