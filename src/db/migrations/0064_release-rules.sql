-- Administrators take a device out of quarantine, through the identity login; that they did stands in their own activities.
GRANT UPDATE (quarantined_at, quarantine_reason) ON lowrank.gpu_devices TO lowrank_identity;
--> statement-breakpoint
GRANT INSERT ON lowrank.activities TO lowrank_identity;
--> statement-breakpoint
-- What is trusted again is given out now and not at the next sweep.
CREATE TRIGGER tell_trusted AFTER UPDATE OF quarantined_at ON lowrank.gpu_devices FOR EACH ROW
  WHEN (NEW.quarantined_at IS NULL AND OLD.quarantined_at IS NOT NULL) EXECUTE FUNCTION lowrank.tell_work();
