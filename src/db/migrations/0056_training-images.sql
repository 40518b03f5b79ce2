CREATE TABLE "lowrank"."training_images" (
	"id" uuid PRIMARY KEY DEFAULT gen_random_uuid() NOT NULL,
	"created_by" uuid,
	"name" text NOT NULL,
	"reference" text NOT NULL,
	"status" text DEFAULT 'checking' NOT NULL,
	"status_reason" jsonb,
	"digest" text,
	"hello" jsonb,
	"checked_at" timestamp with time zone,
	"lease_until" timestamp with time zone,
	"claimed_at" timestamp with time zone,
	"claim" integer DEFAULT 0 NOT NULL,
	"attempts" smallint DEFAULT 0 NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "training_images_status_check" CHECK (status in ('checking', 'ready', 'error')),
	CONSTRAINT "training_images_ready_check" CHECK (status <> 'ready' or (digest is not null and hello is not null and checked_at is not null))
);
--> statement-breakpoint
ALTER TABLE "lowrank"."training_images" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
ALTER TABLE "lowrank"."job_runs" ADD COLUMN "image" text;--> statement-breakpoint
ALTER TABLE "lowrank"."job_runs" ADD COLUMN "image_digest" text;--> statement-breakpoint
ALTER TABLE "lowrank"."training_images" ADD CONSTRAINT "training_images_created_by_users_id_fk" FOREIGN KEY ("created_by") REFERENCES "identity"."users"("id") ON DELETE set null ON UPDATE no action;--> statement-breakpoint
CREATE UNIQUE INDEX "training_images_name_key" ON "lowrank"."training_images" USING btree (lower("name"));--> statement-breakpoint
CREATE INDEX "training_images_creator" ON "lowrank"."training_images" USING btree ("created_by");--> statement-breakpoint
CREATE INDEX "training_images_checking" ON "lowrank"."training_images" USING btree ("created_at") WHERE status = 'checking';--> statement-breakpoint
CREATE POLICY "training_images_read" ON "lowrank"."training_images" AS PERMISSIVE FOR SELECT TO public USING ((select auth.uid()) is not null);--> statement-breakpoint
CREATE POLICY "training_images_identity" ON "lowrank"."training_images" AS PERMISSIVE FOR ALL TO "lowrank_identity" USING (true) WITH CHECK (true);--> statement-breakpoint
CREATE POLICY "training_images_scheduler" ON "lowrank"."training_images" AS PERMISSIVE FOR ALL TO "lowrank_scheduler" USING (true) WITH CHECK (true);--> statement-breakpoint
ALTER POLICY "idempotency_keys_identity" ON "lowrank"."idempotency_keys" TO lowrank_identity USING (route in ('POST /api/keys', 'POST /api/invitations', 'POST /api/gpu-catalog', 'POST /api/training-images')) WITH CHECK (route in ('POST /api/keys', 'POST /api/invitations', 'POST /api/gpu-catalog', 'POST /api/training-images'));