CREATE TABLE "lowrank"."gpu_reservations" (
	"worker_id" text PRIMARY KEY NOT NULL,
	"user_id" uuid NOT NULL,
	"job_id" uuid NOT NULL,
	"device_ids" uuid[] NOT NULL,
	"reserved_at" timestamp with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
ALTER TABLE "lowrank"."gpu_reservations" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
ALTER TABLE "lowrank"."gpu_reservations" ADD CONSTRAINT "gpu_reservations_worker_id_workers_id_fk" FOREIGN KEY ("worker_id") REFERENCES "lowrank"."workers"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "lowrank"."gpu_reservations" ADD CONSTRAINT "gpu_reservations_job_fk" FOREIGN KEY ("job_id","user_id") REFERENCES "lowrank"."training_jobs"("id","user_id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
CREATE UNIQUE INDEX "gpu_reservations_job_key" ON "lowrank"."gpu_reservations" USING btree ("job_id");--> statement-breakpoint
CREATE INDEX "gpu_reservations_user" ON "lowrank"."gpu_reservations" USING btree ("user_id");--> statement-breakpoint
CREATE POLICY "gpu_catalog_scheduler" ON "lowrank"."gpu_catalog" AS PERMISSIVE FOR ALL TO "lowrank_scheduler" USING (true) WITH CHECK (true);--> statement-breakpoint
CREATE POLICY "gpu_reservations_scheduler" ON "lowrank"."gpu_reservations" AS PERMISSIVE FOR ALL TO "lowrank_scheduler" USING (true) WITH CHECK (true);--> statement-breakpoint
CREATE POLICY "gpu_reservations_identity" ON "lowrank"."gpu_reservations" AS PERMISSIVE FOR ALL TO "lowrank_identity" USING (true) WITH CHECK (true);