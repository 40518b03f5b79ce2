-- What runs measured is written by the worker alone; whose they are may read them.
ALTER TABLE lowrank.run_observations FORCE ROW LEVEL SECURITY;--> statement-breakpoint
ALTER TABLE lowrank.run_groups FORCE ROW LEVEL SECURITY;--> statement-breakpoint
REVOKE ALL ON lowrank.run_observations, lowrank.run_groups FROM PUBLIC;--> statement-breakpoint
DO $$
DECLARE r text;
BEGIN
  FOREACH r IN ARRAY ARRAY['anon', 'authenticated', 'service_role'] LOOP
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = r) THEN
      EXECUTE format('REVOKE ALL ON lowrank.run_observations, lowrank.run_groups FROM %I', r);
    END IF;
  END LOOP;
END $$;
--> statement-breakpoint
GRANT SELECT ON lowrank.run_observations, lowrank.run_groups TO lowrank_web;--> statement-breakpoint
GRANT SELECT, INSERT ON lowrank.run_observations TO lowrank_scheduler;--> statement-breakpoint
GRANT SELECT, INSERT, UPDATE ON lowrank.run_groups TO lowrank_scheduler;
