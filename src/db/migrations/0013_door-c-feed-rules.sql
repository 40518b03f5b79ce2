-- A project that goes leaves its things behind: one column of the pair is emptied, which drizzle cannot say.
ALTER TABLE lowrank.recipes ADD CONSTRAINT recipes_project_fk FOREIGN KEY (project_id, user_id)
  REFERENCES lowrank.projects (id, user_id) ON DELETE SET NULL (project_id);
--> statement-breakpoint
ALTER TABLE lowrank.experiments ADD CONSTRAINT experiments_project_fk FOREIGN KEY (project_id, user_id)
  REFERENCES lowrank.projects (id, user_id) ON DELETE SET NULL (project_id);
--> statement-breakpoint
ALTER TABLE lowrank.activities ADD CONSTRAINT activities_project_fk FOREIGN KEY (project_id, user_id)
  REFERENCES lowrank.projects (id, user_id) ON DELETE SET NULL (project_id);
--> statement-breakpoint
DO $$
DECLARE t text; r text;
BEGIN
  FOREACH t IN ARRAY ARRAY['recipes', 'experiments', 'activities'] LOOP
    EXECUTE format('ALTER TABLE lowrank.%I FORCE ROW LEVEL SECURITY', t);
    EXECUTE format('REVOKE ALL ON lowrank.%I FROM PUBLIC', t);
    FOREACH r IN ARRAY ARRAY['anon', 'authenticated'] LOOP
      IF EXISTS (SELECT FROM pg_roles WHERE rolname = r) THEN
        EXECUTE format('REVOKE ALL ON lowrank.%I FROM %I', t, r);
      END IF;
    END LOOP;
    IF t <> 'activities' THEN
      EXECUTE format('CREATE TRIGGER touch_updated_at BEFORE UPDATE ON lowrank.%I FOR EACH ROW EXECUTE FUNCTION lowrank.touch_updated_at()', t);
    END IF;
  END LOOP;
END $$;
--> statement-breakpoint
GRANT SELECT, INSERT, DELETE ON lowrank.recipes TO lowrank_web;
--> statement-breakpoint
GRANT UPDATE (name, description, overrides, tags, metadata, project_id) ON lowrank.recipes TO lowrank_web;
--> statement-breakpoint
GRANT SELECT, INSERT ON lowrank.experiments, lowrank.activities TO lowrank_web;
--> statement-breakpoint
GRANT UPDATE (name) ON lowrank.experiments TO lowrank_web;
--> statement-breakpoint
GRANT UPDATE (read) ON lowrank.activities TO lowrank_web;
--> statement-breakpoint
GRANT SELECT, INSERT ON lowrank.activities TO lowrank_scheduler;
