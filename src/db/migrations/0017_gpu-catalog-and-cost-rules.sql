-- What devices cost: every user reads it, administrators change it through the identity login.
ALTER TABLE lowrank.gpu_catalog FORCE ROW LEVEL SECURITY;--> statement-breakpoint
REVOKE ALL ON lowrank.gpu_catalog FROM PUBLIC;--> statement-breakpoint
DO $$
DECLARE r text;
BEGIN
  FOREACH r IN ARRAY ARRAY['anon', 'authenticated'] LOOP
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = r) THEN
      EXECUTE format('REVOKE ALL ON lowrank.gpu_catalog FROM %I', r);
    END IF;
  END LOOP;
END $$;
--> statement-breakpoint
GRANT SELECT ON lowrank.gpu_catalog TO lowrank_web;--> statement-breakpoint
GRANT SELECT, INSERT, UPDATE, DELETE ON lowrank.gpu_catalog TO lowrank_identity;--> statement-breakpoint
-- Whether there is a GPU at all decides the price of a training that names no device.
GRANT SELECT (kind, quarantined_at) ON lowrank.gpu_devices TO lowrank_web;--> statement-breakpoint
CREATE TRIGGER touch_updated_at BEFORE UPDATE ON lowrank.gpu_catalog FOR EACH ROW EXECUTE FUNCTION lowrank.touch_updated_at();
--> statement-breakpoint
-- Costs are written by the scheduler alone; whose they are may read them.
ALTER TABLE lowrank.cost_records FORCE ROW LEVEL SECURITY;--> statement-breakpoint
REVOKE ALL ON lowrank.cost_records FROM PUBLIC;--> statement-breakpoint
DO $$
DECLARE r text;
BEGIN
  FOREACH r IN ARRAY ARRAY['anon', 'authenticated'] LOOP
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = r) THEN
      EXECUTE format('REVOKE ALL ON lowrank.cost_records FROM %I', r);
    END IF;
  END LOOP;
END $$;
--> statement-breakpoint
GRANT SELECT ON lowrank.cost_records TO lowrank_web;--> statement-breakpoint
GRANT SELECT, INSERT, UPDATE, DELETE ON lowrank.cost_records TO lowrank_scheduler;--> statement-breakpoint
CREATE TRIGGER touch_updated_at BEFORE UPDATE ON lowrank.cost_records FOR EACH ROW EXECUTE FUNCTION lowrank.touch_updated_at();
--> statement-breakpoint
-- Whatever ends a job, its bill is what it has cost by then.
CREATE FUNCTION lowrank.settle_final_cost() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog AS $$
BEGIN
  NEW.final_cost := NEW.current_cost;
  RETURN NEW;
END $$;
--> statement-breakpoint
CREATE TRIGGER settle_final_cost BEFORE UPDATE OF status ON lowrank.training_jobs FOR EACH ROW
  WHEN (NEW.status IN ('completed', 'failed', 'cancelled') AND NEW.status IS DISTINCT FROM OLD.status)
  EXECUTE FUNCTION lowrank.settle_final_cost();
--> statement-breakpoint
CREATE FUNCTION lowrank.check_new_cost() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog AS $$
BEGIN
  IF NOT pg_has_role(current_user, 'lowrank_scheduler', 'member') AND (NEW.current_cost <> 0 OR NEW.final_cost IS NOT NULL) THEN
    RAISE EXCEPTION 'a new job has cost nothing' USING ERRCODE = 'insufficient_privilege';
  END IF;
  RETURN NEW;
END $$;
--> statement-breakpoint
CREATE TRIGGER check_new_cost BEFORE INSERT ON lowrank.training_jobs FOR EACH ROW EXECUTE FUNCTION lowrank.check_new_cost();
