-- A person who left goes with every row, once nothing of theirs runs and no device is held for them. People are the identity login's; a
-- worker, which alone knows when a run is over, may have this done and nothing more of people.
CREATE POLICY users_departed_seen ON identity.users FOR SELECT TO CURRENT_USER
  USING (EXISTS (SELECT FROM lowrank.user_queues q WHERE q.user_id = id AND q.leaving_at IS NOT NULL));
--> statement-breakpoint
CREATE POLICY users_departed ON identity.users FOR DELETE TO CURRENT_USER
  USING (EXISTS (SELECT FROM lowrank.user_queues q WHERE q.user_id = id AND q.leaving_at IS NOT NULL));
--> statement-breakpoint
CREATE FUNCTION lowrank.remove_departed(departed uuid) RETURNS boolean LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
BEGIN
  IF EXISTS (SELECT FROM lowrank.training_jobs WHERE user_id = departed AND slot IS NOT NULL)
     OR EXISTS (SELECT FROM lowrank.gpu_leases WHERE user_id = departed AND released_at IS NULL) THEN
    RETURN false;
  END IF;
  DELETE FROM identity.users u USING lowrank.user_queues q WHERE u.id = departed AND q.user_id = u.id AND q.leaving_at IS NOT NULL;
  RETURN FOUND;
END $$;
--> statement-breakpoint
REVOKE ALL ON FUNCTION lowrank.remove_departed(uuid) FROM PUBLIC;
--> statement-breakpoint
GRANT EXECUTE ON FUNCTION lowrank.remove_departed(uuid) TO lowrank_scheduler;
--> statement-breakpoint
CREATE TRIGGER tell_departure AFTER UPDATE OF leaving_at ON lowrank.user_queues FOR EACH ROW
  WHEN (NEW.leaving_at IS NOT NULL) EXECUTE FUNCTION lowrank.tell_work();
