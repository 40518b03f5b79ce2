-- What the schema file cannot say: forced policies, grants by operation, the state machine, slots and queue counters.
DO $$
DECLARE t record;
BEGIN
  FOR t IN SELECT schemaname, tablename FROM pg_tables WHERE schemaname IN ('lowrank', 'identity') LOOP
    EXECUTE format('ALTER TABLE %I.%I FORCE ROW LEVEL SECURITY', t.schemaname, t.tablename);
    EXECUTE format('REVOKE ALL ON TABLE %I.%I FROM PUBLIC', t.schemaname, t.tablename);
  END LOOP;
END $$;
--> statement-breakpoint
-- Supabase grants new tables to its API roles by default; who exposes the schema grants by column afterwards.
DO $$
DECLARE r text;
BEGIN
  FOREACH r IN ARRAY ARRAY['anon', 'authenticated'] LOOP
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = r) THEN
      EXECUTE format('REVOKE ALL ON ALL TABLES IN SCHEMA lowrank, identity FROM %I', r);
      EXECUTE format('ALTER DEFAULT PRIVILEGES IN SCHEMA lowrank REVOKE ALL ON TABLES FROM %I', r);
      EXECUTE format('ALTER DEFAULT PRIVILEGES IN SCHEMA identity REVOKE ALL ON TABLES FROM %I', r);
    END IF;
  END LOOP;
END $$;
--> statement-breakpoint
GRANT USAGE ON SCHEMA lowrank TO lowrank_web, lowrank_scheduler, lowrank_identity;
GRANT USAGE ON SCHEMA identity TO lowrank_identity;
--> statement-breakpoint
GRANT SELECT ON lowrank.datasets, lowrank.base_models, lowrank.training_jobs, lowrank.job_runs, lowrank.job_events, lowrank.metrics_points,
  lowrank.model_artifacts, lowrank.notifications, lowrank.settings, lowrank.job_slots, lowrank.user_queues, lowrank.job_transitions TO lowrank_web;
GRANT INSERT, UPDATE ON lowrank.datasets TO lowrank_web;
GRANT INSERT, UPDATE ON lowrank.base_models TO lowrank_web;
-- What may stand in a new row is for check_new_job below: an insert names every column.
GRANT INSERT ON lowrank.training_jobs TO lowrank_web;
GRANT UPDATE (name, cancel_requested_at, held_at, status, deleted_at) ON lowrank.training_jobs TO lowrank_web;
-- The triggers below run as whoever moved the job; their policies let nothing in that is not a trigger's.
GRANT INSERT ON lowrank.job_events TO lowrank_web;
GRANT UPDATE (queued, active) ON lowrank.user_queues TO lowrank_web;
GRANT INSERT ON lowrank.notifications TO lowrank_web;
GRANT UPDATE (read) ON lowrank.notifications TO lowrank_web;
GRANT UPDATE (deleted_at) ON lowrank.model_artifacts TO lowrank_web;
--> statement-breakpoint
GRANT SELECT, UPDATE ON lowrank.datasets, lowrank.base_models, lowrank.training_jobs, lowrank.user_queues TO lowrank_scheduler;
GRANT SELECT, INSERT, UPDATE ON lowrank.job_runs, lowrank.workers, lowrank.gpu_devices, lowrank.gpu_leases, lowrank.model_artifacts TO lowrank_scheduler;
GRANT SELECT, INSERT ON lowrank.job_events, lowrank.metrics_points, lowrank.notifications TO lowrank_scheduler;
GRANT SELECT ON lowrank.settings, lowrank.job_slots, lowrank.job_transitions TO lowrank_scheduler;
GRANT DELETE ON lowrank.model_artifacts TO lowrank_scheduler;
--> statement-breakpoint
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA identity TO lowrank_identity;
GRANT SELECT, INSERT, UPDATE ON lowrank.settings TO lowrank_identity;
GRANT SELECT, INSERT, UPDATE, DELETE ON lowrank.job_slots, lowrank.user_queues TO lowrank_identity;
--> statement-breakpoint
CREATE POLICY job_slots_identity ON lowrank.job_slots TO lowrank_identity USING (true) WITH CHECK (true);
CREATE POLICY user_queues_identity ON lowrank.user_queues TO lowrank_identity USING (true) WITH CHECK (true);
-- A user's own statement may not touch the counters; the trigger's may.
CREATE POLICY user_queues_by_trigger ON lowrank.user_queues AS RESTRICTIVE FOR UPDATE TO lowrank_web USING (pg_trigger_depth() > 0);
--> statement-breakpoint
CREATE FUNCTION lowrank.touch_updated_at() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog AS $$
BEGIN
  NEW.updated_at := clock_timestamp();
  RETURN NEW;
END $$;
--> statement-breakpoint
DO $$
DECLARE t record;
BEGIN
  FOR t IN SELECT table_schema, table_name FROM information_schema.columns
           WHERE column_name = 'updated_at' AND table_schema IN ('lowrank', 'identity') LOOP
    EXECUTE format('CREATE TRIGGER touch_updated_at BEFORE UPDATE ON %I.%I FOR EACH ROW EXECUTE FUNCTION lowrank.touch_updated_at()',
      t.table_schema, t.table_name);
  END LOOP;
END $$;
--> statement-breakpoint
-- A person gets a queue and as many slots as the installation allows, in the transaction that makes the person.
CREATE FUNCTION lowrank.open_queue() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog AS $$
DECLARE slots_max integer := (SELECT (value #>> '{}')::integer FROM lowrank.settings WHERE key = 'active_jobs_per_user');
BEGIN
  INSERT INTO lowrank.user_queues (user_id, active_max) VALUES (NEW.id, slots_max);
  INSERT INTO lowrank.job_slots (user_id, slot) SELECT NEW.id, generate_series(1, slots_max);
  RETURN NEW;
END $$;
--> statement-breakpoint
CREATE TRIGGER open_queue AFTER INSERT ON identity.users FOR EACH ROW EXECUTE FUNCTION lowrank.open_queue();
--> statement-breakpoint
-- The state machine. Legal pairs stand in job_transitions; a user's own statement may only cancel what is queued.
CREATE FUNCTION lowrank.check_job_move() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog AS $$
BEGIN
  IF NEW.user_id <> OLD.user_id OR NEW.id <> OLD.id THEN
    RAISE EXCEPTION 'a job keeps its id and its owner' USING ERRCODE = 'check_violation';
  END IF;
  IF NEW.epoch < OLD.epoch OR NEW.attempt < OLD.attempt OR NEW.event_seq < OLD.event_seq THEN
    RAISE EXCEPTION 'epoch, attempt and event_seq never go back' USING ERRCODE = 'check_violation';
  END IF;
  IF NEW.status IS NOT DISTINCT FROM OLD.status THEN
    RETURN NEW;
  END IF;
  IF NOT EXISTS (SELECT FROM lowrank.job_transitions WHERE from_status = OLD.status AND to_status = NEW.status) THEN
    RAISE EXCEPTION 'illegal job transition % -> %', OLD.status, NEW.status USING ERRCODE = 'check_violation';
  END IF;
  IF NOT pg_has_role(current_user, 'lowrank_scheduler', 'member') AND NOT (OLD.status = 'queued' AND NEW.status = 'cancelled') THEN
    RAISE EXCEPTION 'only the scheduler moves a job % -> %', OLD.status, NEW.status USING ERRCODE = 'insufficient_privilege';
  END IF;
  NEW.event_seq := OLD.event_seq + 1;
  IF NEW.status = 'initializing' THEN
    NEW.epoch := OLD.epoch + 1;
  ELSIF NEW.status <> 'running' THEN
    NEW.slot := NULL;
    NEW.lease_until := NULL;
    NEW.contact_lost_at := NULL;
  END IF;
  IF NEW.status IN ('completed', 'failed', 'cancelled') THEN
    NEW.completed_at := clock_timestamp();
    NEW.estimated_completion_at := NULL;
  END IF;
  INSERT INTO lowrank.job_events (job_id, user_id, seq, type, from_status, to_status, attempt, message, data)
  VALUES (NEW.id, NEW.user_id, NEW.event_seq, 'state', OLD.status, NEW.status, NEW.attempt, NEW.error_message,
    CASE WHEN NEW.error_code IS NULL THEN '{}'::jsonb ELSE jsonb_build_object('code', NEW.error_code) END);
  RETURN NEW;
END $$;
--> statement-breakpoint
CREATE TRIGGER check_job_move BEFORE UPDATE ON lowrank.training_jobs FOR EACH ROW EXECUTE FUNCTION lowrank.check_job_move();
--> statement-breakpoint
CREATE FUNCTION lowrank.check_new_job() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog AS $$
BEGIN
  IF pg_has_role(current_user, 'lowrank_scheduler', 'member') THEN
    RETURN NEW;
  END IF;
  IF NEW.status <> 'queued' OR NEW.epoch <> 0 OR NEW.attempt <> 0 OR NEW.event_seq <> 1 OR NEW.progress <> 0 OR NEW.current_step <> 0
     OR NEW.retry_count <> 0
     OR num_nonnulls(NEW.slot, NEW.worker_id, NEW.lease_until, NEW.started_at, NEW.completed_at, NEW.artifact_id, NEW.error_code,
                     NEW.cancel_requested_at, NEW.executor, NEW.not_before, NEW.deleted_at) > 0 THEN
    RAISE EXCEPTION 'a new job is queued and nothing else' USING ERRCODE = 'insufficient_privilege';
  END IF;
  RETURN NEW;
END $$;
--> statement-breakpoint
CREATE TRIGGER check_new_job BEFORE INSERT ON lowrank.training_jobs FOR EACH ROW EXECUTE FUNCTION lowrank.check_new_job();
--> statement-breakpoint
CREATE FUNCTION lowrank.count_job() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog AS $$
DECLARE
  queued_before integer := 0; active_before integer := 0; queued_after integer := 0; active_after integer := 0;
  owner uuid := CASE WHEN TG_OP = 'DELETE' THEN OLD.user_id ELSE NEW.user_id END;
BEGIN
  IF TG_OP <> 'INSERT' THEN
    queued_before := (OLD.status = 'queued' AND OLD.held_at IS NULL)::integer;
    active_before := (OLD.slot IS NOT NULL)::integer;
  END IF;
  IF TG_OP <> 'DELETE' THEN
    queued_after := (NEW.status = 'queued' AND NEW.held_at IS NULL)::integer;
    active_after := (NEW.slot IS NOT NULL)::integer;
  END IF;
  IF queued_after <> queued_before OR active_after <> active_before THEN
    UPDATE lowrank.user_queues SET queued = queued + queued_after - queued_before, active = active + active_after - active_before
      WHERE user_id = owner;
  END IF;
  IF TG_OP = 'INSERT' THEN
    INSERT INTO lowrank.job_events (job_id, user_id, seq, type, to_status, attempt) VALUES (NEW.id, NEW.user_id, 1, 'state', NEW.status, 0);
  END IF;
  RETURN NULL;
END $$;
--> statement-breakpoint
CREATE TRIGGER count_job AFTER INSERT OR UPDATE OF status, held_at, slot OR DELETE ON lowrank.training_jobs
  FOR EACH ROW EXECUTE FUNCTION lowrank.count_job();
--> statement-breakpoint
-- A hint for whoever waits: rows are the truth. The payload is the job's id, which says nothing to a stranger.
CREATE FUNCTION lowrank.tell_job() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog AS $$
BEGIN
  PERFORM pg_notify('lowrank_job', NEW.id::text);
  IF NEW.status = 'queued' OR NEW.cancel_requested_at IS NOT NULL THEN
    PERFORM pg_notify('lowrank_work', 'job');
  END IF;
  RETURN NULL;
END $$;
--> statement-breakpoint
CREATE TRIGGER tell_job AFTER INSERT OR UPDATE ON lowrank.training_jobs FOR EACH ROW EXECUTE FUNCTION lowrank.tell_job();
--> statement-breakpoint
CREATE FUNCTION lowrank.tell_work() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog AS $$
BEGIN
  PERFORM pg_notify('lowrank_work', TG_TABLE_NAME);
  RETURN NULL;
END $$;
--> statement-breakpoint
CREATE TRIGGER tell_work AFTER INSERT OR UPDATE OF status ON lowrank.datasets FOR EACH ROW EXECUTE FUNCTION lowrank.tell_work();
--> statement-breakpoint
CREATE TRIGGER tell_work AFTER INSERT OR UPDATE OF status ON lowrank.base_models FOR EACH ROW EXECUTE FUNCTION lowrank.tell_work();
