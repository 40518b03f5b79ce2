ALTER TABLE "lowrank"."base_models" ADD COLUMN "project_id" uuid;--> statement-breakpoint
ALTER TABLE "lowrank"."base_models" ADD COLUMN "narrowed" boolean DEFAULT false NOT NULL;--> statement-breakpoint
CREATE INDEX "base_models_project" ON "lowrank"."base_models" USING btree ("project_id");--> statement-breakpoint
ALTER TABLE "lowrank"."base_models" ADD CONSTRAINT "base_models_narrowed_check" CHECK (project_id is null or narrowed);--> statement-breakpoint
ALTER POLICY "base_models_read" ON "lowrank"."base_models" TO public USING ((select auth.uid()) is not null and (not narrowed or created_by = (select auth.uid())));