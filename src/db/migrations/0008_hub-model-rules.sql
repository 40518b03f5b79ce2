-- A job that waits for its base model is not in the queue: it is neither counted nor claimed before the model is there.
CREATE OR REPLACE FUNCTION lowrank.count_job() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog AS $$
DECLARE
  queued_before integer := 0; active_before integer := 0; queued_after integer := 0; active_after integer := 0;
  owner uuid := CASE WHEN TG_OP = 'DELETE' THEN OLD.user_id ELSE NEW.user_id END;
BEGIN
  IF TG_OP <> 'INSERT' THEN
    queued_before := (OLD.status = 'queued' AND OLD.held_at IS NULL AND OLD.current_stage IS DISTINCT FROM 'fetching_model')::integer;
    active_before := (OLD.slot IS NOT NULL)::integer;
  END IF;
  IF TG_OP <> 'DELETE' THEN
    queued_after := (NEW.status = 'queued' AND NEW.held_at IS NULL AND NEW.current_stage IS DISTINCT FROM 'fetching_model')::integer;
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
DROP TRIGGER count_job ON lowrank.training_jobs;
--> statement-breakpoint
CREATE TRIGGER count_job AFTER INSERT OR UPDATE OF status, held_at, slot, current_stage OR DELETE ON lowrank.training_jobs
  FOR EACH ROW EXECUTE FUNCTION lowrank.count_job();
--> statement-breakpoint
-- A model that is deleted settles the jobs that wait for it, too.
DROP TRIGGER tell_work ON lowrank.base_models;
--> statement-breakpoint
CREATE TRIGGER tell_work AFTER INSERT OR UPDATE OF status, deleted_at ON lowrank.base_models FOR EACH ROW EXECUTE FUNCTION lowrank.tell_work();
--> statement-breakpoint
-- Door A tells a dataset of somebody else's from none at all. Policies hide both, and they bind the tables' owner as well: he
-- gets one to look through, and this function is all that lends it. It says one bit about one id, to callers who are somebody.
CREATE POLICY datasets_existence ON lowrank.datasets FOR SELECT TO CURRENT_USER USING (true);
--> statement-breakpoint
CREATE FUNCTION lowrank.dataset_exists(wanted uuid) RETURNS boolean LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog AS $$
  SELECT auth.uid() IS NOT NULL AND EXISTS (SELECT FROM lowrank.datasets WHERE id = wanted AND deleted_at IS NULL)
$$;
--> statement-breakpoint
REVOKE ALL ON FUNCTION lowrank.dataset_exists(uuid) FROM PUBLIC;
--> statement-breakpoint
-- Supabase grants new functions to its API roles by default.
DO $$
DECLARE r text;
BEGIN
  FOREACH r IN ARRAY ARRAY['anon', 'authenticated', 'service_role'] LOOP
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = r) THEN
      EXECUTE format('REVOKE ALL ON FUNCTION lowrank.dataset_exists(uuid) FROM %I', r);
    END IF;
  END LOOP;
END $$;
--> statement-breakpoint
GRANT EXECUTE ON FUNCTION lowrank.dataset_exists(uuid) TO lowrank_web;
