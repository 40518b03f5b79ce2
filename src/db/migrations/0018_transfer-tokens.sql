ALTER TABLE "lowrank"."transfers" ADD COLUMN "token" text;--> statement-breakpoint
ALTER TABLE "lowrank"."transfers" ADD CONSTRAINT "transfers_token_check" CHECK (token is null or status in ('pending', 'running'));--> statement-breakpoint
GRANT UPDATE (token) ON lowrank.transfers TO lowrank_web;--> statement-breakpoint
-- A token is kept as long as it is needed.
CREATE OR REPLACE FUNCTION lowrank.check_transfer_move() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog AS $$
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
    NEW.token := NULL;
  END IF;
  RETURN NEW;
END $$;
