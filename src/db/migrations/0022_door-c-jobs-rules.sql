-- What was asked for and the trainer lacks stands in the configuration, and is told by the job's first events.
CREATE OR REPLACE FUNCTION lowrank.check_new_job() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog AS $$
BEGIN
  IF NOT pg_has_role(current_user, 'lowrank_scheduler', 'member')
     AND (NEW.status <> 'queued' OR NEW.epoch <> 0 OR NEW.attempt <> 0 OR NEW.event_seq <> 1 OR NEW.progress <> 0 OR NEW.current_step <> 0
     OR NEW.retry_count <> 0
     OR num_nonnulls(NEW.slot, NEW.worker_id, NEW.lease_until, NEW.started_at, NEW.completed_at, NEW.artifact_id, NEW.error_code,
                     NEW.cancel_requested_at, NEW.executor, NEW.not_before, NEW.deleted_at) > 0) THEN
    RAISE EXCEPTION 'a new job is queued and nothing else' USING ERRCODE = 'insufficient_privilege';
  END IF;
  NEW.event_seq := 1 + coalesce(jsonb_array_length(NEW.config -> 'skipped'), 0);
  RETURN NEW;
END $$;
--> statement-breakpoint
CREATE FUNCTION lowrank.tell_skipped() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog AS $$
BEGIN
  INSERT INTO lowrank.job_events (job_id, user_id, seq, type, attempt, message, data)
    SELECT NEW.id, NEW.user_id, (1 + s.place)::integer, 'skipped', 0, s.wish ->> 'message', s.wish - 'message'
    FROM jsonb_array_elements(NEW.config -> 'skipped') WITH ORDINALITY AS s (wish, place);
  RETURN NULL;
END $$;
--> statement-breakpoint
CREATE TRIGGER tell_skipped AFTER INSERT ON lowrank.training_jobs FOR EACH ROW
  WHEN (jsonb_array_length(NEW.config -> 'skipped') > 0) EXECUTE FUNCTION lowrank.tell_skipped();
