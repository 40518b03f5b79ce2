DROP INDEX "lowrank"."training_jobs_user_created";--> statement-breakpoint
DROP INDEX "lowrank"."training_jobs_user_status";--> statement-breakpoint
CREATE INDEX "training_jobs_user_created" ON "lowrank"."training_jobs" USING btree ("user_id","created_at" DESC NULLS LAST,"id" DESC NULLS LAST,"deleted_at");--> statement-breakpoint
CREATE INDEX "training_jobs_user_status" ON "lowrank"."training_jobs" USING btree ("user_id","status","created_at" DESC NULLS LAST,"id" DESC NULLS LAST,"deleted_at");