-- Receivers of events, what signs for them, and the outbox. Their sender is a login of its own.
DO $$
DECLARE t text; r text;
BEGIN
  FOREACH t IN ARRAY ARRAY['webhooks', 'webhook_secrets', 'webhook_deliveries'] LOOP
    EXECUTE format('ALTER TABLE lowrank.%I FORCE ROW LEVEL SECURITY', t);
    EXECUTE format('REVOKE ALL ON lowrank.%I FROM PUBLIC', t);
    FOREACH r IN ARRAY ARRAY['anon', 'authenticated'] LOOP
      IF EXISTS (SELECT FROM pg_roles WHERE rolname = r) THEN
        EXECUTE format('REVOKE ALL ON lowrank.%I FROM %I', t, r);
      END IF;
    END LOOP;
  END LOOP;
END $$;
--> statement-breakpoint
GRANT USAGE ON SCHEMA lowrank TO lowrank_delivery;
--> statement-breakpoint
GRANT SELECT, INSERT, DELETE ON lowrank.webhooks TO lowrank_web;
--> statement-breakpoint
GRANT UPDATE (url, description, events, enabled, disabled_reason) ON lowrank.webhooks TO lowrank_web;
--> statement-breakpoint
-- Whoever serves people makes secrets and lets them expire; what they are it never reads.
GRANT INSERT, SELECT (id, user_id, webhook_id, expires_at, created_at), UPDATE (expires_at) ON lowrank.webhook_secrets TO lowrank_web;
--> statement-breakpoint
GRANT SELECT, INSERT ON lowrank.webhook_deliveries TO lowrank_web;
--> statement-breakpoint
GRANT UPDATE (status, attempts, next_attempt_at) ON lowrank.webhook_deliveries TO lowrank_web;
--> statement-breakpoint
GRANT SELECT (id, user_id, enabled, events) ON lowrank.webhooks TO lowrank_scheduler;
--> statement-breakpoint
GRANT INSERT ON lowrank.webhook_deliveries TO lowrank_scheduler;
--> statement-breakpoint
GRANT SELECT, UPDATE (enabled, disabled_reason, lease_until, claim) ON lowrank.webhooks TO lowrank_delivery;
--> statement-breakpoint
GRANT SELECT, DELETE ON lowrank.webhook_secrets TO lowrank_delivery;
--> statement-breakpoint
GRANT SELECT, DELETE, UPDATE (status, attempts, next_attempt_at, last_attempt_at, last_status, last_error, delivered_at, tries)
  ON lowrank.webhook_deliveries TO lowrank_delivery;
--> statement-breakpoint
-- Not for a sender's hold.
CREATE TRIGGER touch_updated_at BEFORE UPDATE OF url, description, events, enabled ON lowrank.webhooks
  FOR EACH ROW EXECUTE FUNCTION lowrank.touch_updated_at();
--> statement-breakpoint
CREATE TRIGGER tell_work AFTER INSERT OR UPDATE OF status ON lowrank.webhook_deliveries
  FOR EACH ROW WHEN (NEW.status = 'pending') EXECUTE FUNCTION lowrank.tell_work();
--> statement-breakpoint
CREATE TRIGGER tell_work AFTER UPDATE OF enabled ON lowrank.webhooks
  FOR EACH ROW WHEN (NEW.enabled) EXECUTE FUNCTION lowrank.tell_work();
