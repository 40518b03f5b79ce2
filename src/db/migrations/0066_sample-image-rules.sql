-- Where a picture that was drawn is, the worker alone writes; whose it is may read it. What is to be stored is told to the workers.
ALTER TABLE lowrank.sample_images FORCE ROW LEVEL SECURITY;--> statement-breakpoint
REVOKE ALL ON lowrank.sample_images FROM PUBLIC;--> statement-breakpoint
DO $$
DECLARE r text;
BEGIN
  FOREACH r IN ARRAY ARRAY['anon', 'authenticated', 'service_role'] LOOP
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = r) THEN
      EXECUTE format('REVOKE ALL ON lowrank.sample_images FROM %I', r);
    END IF;
  END LOOP;
END $$;
--> statement-breakpoint
GRANT SELECT ON lowrank.sample_images TO lowrank_web;--> statement-breakpoint
GRANT SELECT, INSERT, UPDATE (status, error_code), DELETE ON lowrank.sample_images TO lowrank_scheduler;--> statement-breakpoint
CREATE TRIGGER tell_work AFTER INSERT ON lowrank.sample_images FOR EACH STATEMENT EXECUTE FUNCTION lowrank.tell_work();
