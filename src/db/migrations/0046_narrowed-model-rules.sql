-- A model is narrowed to a project of its importer's. Where the project goes, what was deleted of it stays narrowed: nothing becomes everybody's.
ALTER TABLE lowrank.base_models ADD CONSTRAINT base_models_project_fk FOREIGN KEY (project_id, created_by)
  REFERENCES lowrank.projects (id, user_id) ON DELETE SET NULL (project_id);
--> statement-breakpoint
-- Who narrows a model is told whether anybody else's things name it, and neither whose nor how many.
CREATE FUNCTION lowrank.own_model_used_by_others(wanted uuid) RETURNS boolean LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog AS $$
  SELECT EXISTS (SELECT FROM lowrank.base_models WHERE id = wanted AND created_by = auth.uid())
    AND (EXISTS (SELECT FROM lowrank.training_jobs WHERE base_model_id = wanted AND user_id <> auth.uid())
      OR EXISTS (SELECT FROM lowrank.transfers WHERE base_model_id = wanted AND user_id <> auth.uid())
      OR EXISTS (SELECT FROM lowrank.user_queues WHERE default_base_model_id = wanted AND user_id <> auth.uid()))
$$;
--> statement-breakpoint
REVOKE ALL ON FUNCTION lowrank.own_model_used_by_others(uuid) FROM PUBLIC;
--> statement-breakpoint
DO $$
DECLARE r text;
BEGIN
  FOREACH r IN ARRAY ARRAY['anon', 'authenticated', 'service_role'] LOOP
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = r) THEN
      EXECUTE format('REVOKE ALL ON FUNCTION lowrank.own_model_used_by_others(uuid) FROM %I', r);
    END IF;
  END LOOP;
END $$;
--> statement-breakpoint
GRANT EXECUTE ON FUNCTION lowrank.own_model_used_by_others(uuid) TO lowrank_web;
