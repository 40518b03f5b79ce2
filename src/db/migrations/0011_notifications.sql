DROP INDEX "lowrank"."notifications_user_created";--> statement-breakpoint
CREATE INDEX "notifications_unread" ON "lowrank"."notifications" USING btree ("user_id","created_at","id") WHERE not read;--> statement-breakpoint
CREATE INDEX "notifications_user_created" ON "lowrank"."notifications" USING btree ("user_id","created_at","id");--> statement-breakpoint
ALTER TABLE "lowrank"."notifications" ADD CONSTRAINT "notifications_type_check" CHECK (type in ('job_queued', 'job_started', 'job_completed', 'job_failed', 'job_cancelled', 'transfer_completed', 'transfer_failed', 'dataset_ready', 'dataset_error'));--> statement-breakpoint
ALTER TABLE "lowrank"."notifications" ADD CONSTRAINT "notifications_priority_check" CHECK (priority in ('low', 'normal', 'high'));