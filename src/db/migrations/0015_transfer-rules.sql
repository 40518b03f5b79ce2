-- Transfers: forced policies, grants by operation, the state machine.
ALTER TABLE lowrank.transfers FORCE ROW LEVEL SECURITY;
--> statement-breakpoint
REVOKE ALL ON lowrank.transfers FROM PUBLIC;
--> statement-breakpoint
DO $$
DECLARE r text;
BEGIN
  FOREACH r IN ARRAY ARRAY['anon', 'authenticated'] LOOP
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = r) THEN
      EXECUTE format('REVOKE ALL ON lowrank.transfers FROM %I', r);
    END IF;
  END LOOP;
END $$;
--> statement-breakpoint
-- What may stand in a new row is for check_new_transfer below: an insert names every column.
GRANT SELECT, INSERT, UPDATE (status) ON lowrank.transfers TO lowrank_web;
--> statement-breakpoint
GRANT SELECT, UPDATE ON lowrank.transfers TO lowrank_scheduler;
--> statement-breakpoint
CREATE TRIGGER touch_updated_at BEFORE UPDATE ON lowrank.transfers FOR EACH ROW EXECUTE FUNCTION lowrank.touch_updated_at();
--> statement-breakpoint
CREATE FUNCTION lowrank.check_new_transfer() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog AS $$
BEGIN
  IF pg_has_role(current_user, 'lowrank_scheduler', 'member') THEN
    RETURN NEW;
  END IF;
  IF NEW.status <> 'pending' OR NEW.bytes_done <> 0 OR NEW.claim <> 0 OR NEW.attempts <> 0
     OR num_nonnulls(NEW.hf_revision, NEW.bytes_total, NEW.bytes_per_second, NEW.files, NEW.error_code, NEW.error_message, NEW.dataset_id,
                     NEW.lease_until, NEW.started_at, NEW.completed_at) > 0 THEN
    RAISE EXCEPTION 'a new transfer is pending and nothing else' USING ERRCODE = 'insufficient_privilege';
  END IF;
  RETURN NEW;
END $$;
--> statement-breakpoint
CREATE TRIGGER check_new_transfer BEFORE INSERT ON lowrank.transfers FOR EACH ROW EXECUTE FUNCTION lowrank.check_new_transfer();
--> statement-breakpoint
CREATE FUNCTION lowrank.check_transfer_move() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog AS $$
BEGIN
  IF NEW.id <> OLD.id OR NEW.user_id <> OLD.user_id OR NEW.kind <> OLD.kind OR NEW.hf_repo_id <> OLD.hf_repo_id
     OR (OLD.hf_revision IS NOT NULL AND NEW.hf_revision IS DISTINCT FROM OLD.hf_revision) THEN
    RAISE EXCEPTION 'a transfer keeps its id, its owner, its repository and its commit' USING ERRCODE = 'check_violation';
  END IF;
  IF NEW.claim < OLD.claim THEN
    RAISE EXCEPTION 'the number of a claim never goes back' USING ERRCODE = 'check_violation';
  END IF;
  IF NEW.status = OLD.status THEN
    RETURN NEW;
  END IF;
  IF (OLD.status, NEW.status) NOT IN (('pending', 'running'), ('pending', 'completed'), ('pending', 'failed'), ('pending', 'cancelled'),
      ('running', 'completed'), ('running', 'failed'), ('running', 'cancelled')) THEN
    RAISE EXCEPTION 'illegal transfer transition % -> %', OLD.status, NEW.status USING ERRCODE = 'check_violation';
  END IF;
  IF NEW.status <> 'cancelled' AND NOT pg_has_role(current_user, 'lowrank_scheduler', 'member') THEN
    RAISE EXCEPTION 'only the scheduler moves a transfer % -> %', OLD.status, NEW.status USING ERRCODE = 'insufficient_privilege';
  END IF;
  IF NEW.status = 'running' THEN
    NEW.started_at := clock_timestamp();
  ELSE
    NEW.completed_at := clock_timestamp();
    NEW.lease_until := NULL;
    NEW.bytes_per_second := NULL;
  END IF;
  RETURN NEW;
END $$;
--> statement-breakpoint
CREATE TRIGGER check_transfer_move BEFORE UPDATE ON lowrank.transfers FOR EACH ROW EXECUTE FUNCTION lowrank.check_transfer_move();
--> statement-breakpoint
CREATE TRIGGER tell_work AFTER INSERT OR UPDATE OF status ON lowrank.transfers FOR EACH ROW EXECUTE FUNCTION lowrank.tell_work();
--> statement-breakpoint
-- An import ends as a dataset, in the transaction that completes it.
GRANT INSERT ON lowrank.datasets TO lowrank_scheduler;
