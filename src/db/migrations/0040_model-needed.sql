-- Who may take a model out of the registry is told whether a training that is not over needs it, and neither whose nor how many: its importer,
-- and the login that administrators act through. The tables' owner, whom policies bind as well, may look at jobs for the counters; these
-- functions lend that for one bit about one id.
CREATE FUNCTION lowrank.model_needed(wanted uuid) RETURNS boolean LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog AS $$
  SELECT EXISTS (SELECT FROM lowrank.training_jobs WHERE base_model_id = wanted AND status IN ('queued', 'initializing', 'running'))
$$;
--> statement-breakpoint
CREATE FUNCTION lowrank.own_model_needed(wanted uuid) RETURNS boolean LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog AS $$
  SELECT EXISTS (SELECT FROM lowrank.base_models WHERE id = wanted AND created_by = auth.uid()) AND lowrank.model_needed(wanted)
$$;
--> statement-breakpoint
REVOKE ALL ON FUNCTION lowrank.model_needed(uuid), lowrank.own_model_needed(uuid) FROM PUBLIC;
--> statement-breakpoint
DO $$
DECLARE r text;
BEGIN
  FOREACH r IN ARRAY ARRAY['anon', 'authenticated', 'service_role'] LOOP
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = r) THEN
      EXECUTE format('REVOKE ALL ON FUNCTION lowrank.model_needed(uuid), lowrank.own_model_needed(uuid) FROM %I', r);
    END IF;
  END LOOP;
END $$;
--> statement-breakpoint
GRANT EXECUTE ON FUNCTION lowrank.own_model_needed(uuid) TO lowrank_web;
--> statement-breakpoint
GRANT EXECUTE ON FUNCTION lowrank.model_needed(uuid) TO lowrank_identity;
