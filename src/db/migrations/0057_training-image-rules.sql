-- What trainings may run in: every user reads it, administrators change it through the identity login, a worker says what it found.
ALTER TABLE lowrank.training_images FORCE ROW LEVEL SECURITY;--> statement-breakpoint
REVOKE ALL ON lowrank.training_images FROM PUBLIC;--> statement-breakpoint
DO $$
DECLARE r text;
BEGIN
  FOREACH r IN ARRAY ARRAY['anon', 'authenticated', 'service_role'] LOOP
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = r) THEN
      EXECUTE format('REVOKE ALL ON lowrank.training_images FROM %I', r);
    END IF;
  END LOOP;
END $$;
--> statement-breakpoint
GRANT SELECT ON lowrank.training_images TO lowrank_web;--> statement-breakpoint
GRANT SELECT, INSERT, UPDATE, DELETE ON lowrank.training_images TO lowrank_identity;--> statement-breakpoint
GRANT SELECT, UPDATE ON lowrank.training_images TO lowrank_scheduler;--> statement-breakpoint
CREATE TRIGGER touch_updated_at BEFORE UPDATE ON lowrank.training_images FOR EACH ROW EXECUTE FUNCTION lowrank.touch_updated_at();--> statement-breakpoint
CREATE TRIGGER tell_work AFTER INSERT OR UPDATE OF status ON lowrank.training_images FOR EACH ROW EXECUTE FUNCTION lowrank.tell_work();
