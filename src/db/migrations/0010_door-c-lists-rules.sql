-- A project that goes leaves its things behind: one column of the pair is emptied, which drizzle cannot say.
ALTER TABLE lowrank.datasets ADD CONSTRAINT datasets_project_fk FOREIGN KEY (project_id, user_id)
  REFERENCES lowrank.projects (id, user_id) ON DELETE SET NULL (project_id);
--> statement-breakpoint
ALTER TABLE lowrank.projects FORCE ROW LEVEL SECURITY;
--> statement-breakpoint
REVOKE ALL ON lowrank.projects FROM PUBLIC;
--> statement-breakpoint
DO $$
DECLARE r text;
BEGIN
  FOREACH r IN ARRAY ARRAY['anon', 'authenticated'] LOOP
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = r) THEN
      EXECUTE format('REVOKE ALL ON lowrank.projects FROM %I', r);
    END IF;
  END LOOP;
END $$;
--> statement-breakpoint
GRANT SELECT, INSERT, DELETE ON lowrank.projects TO lowrank_web;
--> statement-breakpoint
GRANT UPDATE (name, description) ON lowrank.projects TO lowrank_web;
--> statement-breakpoint
CREATE TRIGGER touch_updated_at BEFORE UPDATE ON lowrank.projects FOR EACH ROW EXECUTE FUNCTION lowrank.touch_updated_at();
--> statement-breakpoint
-- Administrators keep the registry by the identity login: what people say of a model, and nothing that was read of its files.
GRANT SELECT ON lowrank.base_models TO lowrank_identity;
--> statement-breakpoint
GRANT UPDATE (name, description, stage, tags, model_card, user_metadata, deleted_at) ON lowrank.base_models TO lowrank_identity;
