-- What is kept of a host for a job ends with its wait, whoever ends that: the tables' owner takes it away, whom policies bind as well.
ALTER TABLE lowrank.gpu_reservations FORCE ROW LEVEL SECURITY;
--> statement-breakpoint
REVOKE ALL ON lowrank.gpu_reservations FROM PUBLIC;
--> statement-breakpoint
DO $$
DECLARE r text;
BEGIN
  FOREACH r IN ARRAY ARRAY['anon', 'authenticated', 'service_role'] LOOP
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = r) THEN
      EXECUTE format('REVOKE ALL ON lowrank.gpu_reservations FROM %I', r);
    END IF;
  END LOOP;
END $$;
--> statement-breakpoint
GRANT SELECT, INSERT, DELETE ON lowrank.gpu_reservations TO lowrank_scheduler;
--> statement-breakpoint
GRANT SELECT ON lowrank.gpu_catalog TO lowrank_scheduler;
--> statement-breakpoint
CREATE POLICY gpu_reservations_counted ON lowrank.gpu_reservations FOR SELECT TO CURRENT_USER USING (true);
--> statement-breakpoint
CREATE POLICY gpu_reservations_ended ON lowrank.gpu_reservations FOR DELETE TO CURRENT_USER USING (true);
--> statement-breakpoint
CREATE FUNCTION lowrank.end_reservation() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
BEGIN
  DELETE FROM lowrank.gpu_reservations WHERE job_id = NEW.id;
  IF FOUND THEN PERFORM pg_notify('lowrank_work', ''); END IF;
  RETURN NULL;
END $$;
--> statement-breakpoint
REVOKE ALL ON FUNCTION lowrank.end_reservation() FROM PUBLIC;
--> statement-breakpoint
CREATE TRIGGER end_reservation AFTER UPDATE OF status, held_at, deleted_at, current_stage ON lowrank.training_jobs FOR EACH ROW
  WHEN (OLD.status = 'queued' AND (NEW.status <> 'queued' OR NEW.held_at IS NOT NULL OR NEW.deleted_at IS NOT NULL
    OR NEW.current_stage IS NOT DISTINCT FROM 'fetching_model')) EXECUTE FUNCTION lowrank.end_reservation();
--> statement-breakpoint
GRANT SELECT ON lowrank.gpu_reservations TO lowrank_identity;
--> statement-breakpoint
CREATE OR REPLACE FUNCTION lowrank.device_state(d lowrank.gpu_devices) RETURNS text LANGUAGE sql STABLE SET search_path = pg_catalog AS $$
  SELECT CASE WHEN d.quarantined_at IS NOT NULL THEN 'quarantined'
    WHEN EXISTS (SELECT FROM lowrank.gpu_leases l WHERE l.device_id = d.id AND l.released_at IS NULL) THEN 'leased'
    WHEN d.foreign_processes > 0 THEN 'occupied' WHEN d.drained_at IS NOT NULL THEN 'drained'
    WHEN EXISTS (SELECT FROM lowrank.gpu_reservations r WHERE r.worker_id = d.worker_id AND d.id = ANY (r.device_ids)) THEN 'kept' ELSE 'free' END
$$;
--> statement-breakpoint
-- What a person who waits must know of the machine and of its other users, without anybody's rows: the devices with what they are and
-- when they come free, and how many people's turn comes before. Seconds from now, by the clock of the database.
CREATE OR REPLACE FUNCTION lowrank.queue_outlook(silent_ms integer) RETURNS jsonb LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog AS $$
  WITH live AS (
    SELECT id, coalesce(facts ->> 'disk_full' = 'true', false) AS disk_full FROM lowrank.workers
    WHERE stopped_at IS NULL AND heartbeat_at > clock_timestamp() - silent_ms * interval '1 ms'
  ), devices AS (
    SELECT jsonb_build_object('host', d.worker_id, 'kind', d.kind, 'name', d.name, 'is_part', d.mig_profile IS NOT NULL,
      'takes_work', live.id IS NOT NULL AND d.quarantined_at IS NULL AND d.drained_at IS NULL, 'occupied', d.foreign_processes > 0,
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
