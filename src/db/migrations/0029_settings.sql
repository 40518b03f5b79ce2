ALTER TABLE "lowrank"."user_queues" ADD COLUMN "own_active_max" integer;--> statement-breakpoint
ALTER TABLE "lowrank"."gpu_devices" ADD COLUMN "drained_at" timestamp with time zone;--> statement-breakpoint
CREATE POLICY "gpu_devices_identity" ON "lowrank"."gpu_devices" AS PERMISSIVE FOR ALL TO "lowrank_identity" USING (true) WITH CHECK (true);--> statement-breakpoint
CREATE POLICY "gpu_leases_identity" ON "lowrank"."gpu_leases" AS PERMISSIVE FOR ALL TO "lowrank_identity" USING (true) WITH CHECK (true);--> statement-breakpoint
CREATE POLICY "workers_identity" ON "lowrank"."workers" AS PERMISSIVE FOR ALL TO "lowrank_identity" USING (true) WITH CHECK (true);