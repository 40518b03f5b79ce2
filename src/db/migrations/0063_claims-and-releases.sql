ALTER TABLE "lowrank"."activities" DROP CONSTRAINT "activities_event_check";--> statement-breakpoint
ALTER TABLE "lowrank"."activities" DROP CONSTRAINT "activities_entity_check";--> statement-breakpoint
DROP INDEX "lowrank"."user_queues_next";--> statement-breakpoint
CREATE INDEX "training_jobs_queue_by_need" ON "lowrank"."training_jobs" USING btree ("user_id",((gpu_config ->> 'count') || ' ' || (gpu_config ->> 'type')),"priority" DESC NULLS LAST,"queued_at","id") WHERE status = 'queued' and held_at is null and current_stage is distinct from 'fetching_model';--> statement-breakpoint
CREATE INDEX "user_queues_next" ON "lowrank"."user_queues" USING btree ("active","last_claimed_at" NULLS FIRST) WHERE queued > 0;--> statement-breakpoint
ALTER TABLE "lowrank"."activities" ADD CONSTRAINT "activities_event_check" CHECK (event_type in ('job_created', 'job_started', 'job_completed', 'job_failed', 'job_cancelled', 'transfer_started', 'transfer_completed', 'transfer_failed', 'dataset_imported', 'model_created', 'device_released'));--> statement-breakpoint
ALTER TABLE "lowrank"."activities" ADD CONSTRAINT "activities_entity_check" CHECK (entity_type in ('job', 'transfer', 'experiment', 'dataset', 'model', 'device'));--> statement-breakpoint
CREATE POLICY "activities_identity" ON "lowrank"."activities" AS PERMISSIVE FOR INSERT TO "lowrank_identity" WITH CHECK (entity_type = 'device');