-- What a check found of the images of a dataset is written by the worker alone; whose they are may read it.
ALTER TABLE lowrank.dataset_images FORCE ROW LEVEL SECURITY;--> statement-breakpoint
REVOKE ALL ON lowrank.dataset_images FROM PUBLIC;--> statement-breakpoint
DO $$
DECLARE r text;
BEGIN
  FOREACH r IN ARRAY ARRAY['anon', 'authenticated', 'service_role'] LOOP
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = r) THEN
      EXECUTE format('REVOKE ALL ON lowrank.dataset_images FROM %I', r);
    END IF;
  END LOOP;
END $$;
--> statement-breakpoint
GRANT SELECT ON lowrank.dataset_images TO lowrank_web;--> statement-breakpoint
GRANT SELECT, INSERT, DELETE ON lowrank.dataset_images TO lowrank_scheduler;
