-- Two wishes more that are a user's own to have, and of which a worker is told at once.
GRANT UPDATE (pause_requested_at, discard_requested_at) ON lowrank.training_jobs TO lowrank_web;
--> statement-breakpoint
CREATE OR REPLACE FUNCTION lowrank.check_new_job() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog AS $$
BEGIN
  IF NOT pg_has_role(current_user, 'lowrank_scheduler', 'member')
     AND (NEW.status <> 'queued' OR NEW.epoch <> 0 OR NEW.attempt <> 0 OR NEW.event_seq <> 1 OR NEW.progress <> 0 OR NEW.current_step <> 0
     OR NEW.retry_count <> 0
     OR num_nonnulls(NEW.slot, NEW.worker_id, NEW.lease_until, NEW.started_at, NEW.completed_at, NEW.artifact_id, NEW.error_code,
                     NEW.cancel_requested_at, NEW.pause_requested_at, NEW.discard_requested_at, NEW.executor, NEW.not_before,
                     NEW.deleted_at) > 0) THEN
    RAISE EXCEPTION 'a new job is queued and nothing else' USING ERRCODE = 'insufficient_privilege';
  END IF;
  NEW.event_seq := 1 + coalesce(jsonb_array_length(NEW.config -> 'skipped'), 0);
  RETURN NEW;
END $$;
--> statement-breakpoint
CREATE OR REPLACE FUNCTION lowrank.tell_job() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog AS $$
BEGIN
  PERFORM pg_notify('lowrank_job', NEW.id::text);
  IF NEW.status = 'queued' OR num_nonnulls(NEW.cancel_requested_at, NEW.pause_requested_at) > 0 THEN
    PERFORM pg_notify('lowrank_work', 'job');
  END IF;
  RETURN NULL;
END $$;
