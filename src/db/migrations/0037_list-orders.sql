DROP INDEX "lowrank"."activities_user_created";--> statement-breakpoint
DROP INDEX "lowrank"."activities_unread";--> statement-breakpoint
DROP INDEX "lowrank"."base_models_created";--> statement-breakpoint
DROP INDEX "lowrank"."datasets_user_created";--> statement-breakpoint
DROP INDEX "lowrank"."experiments_user_created";--> statement-breakpoint
DROP INDEX "identity"."api_keys_user";--> statement-breakpoint
DROP INDEX "lowrank"."model_artifacts_user_created";--> statement-breakpoint
DROP INDEX "lowrank"."projects_user_created";--> statement-breakpoint
DROP INDEX "lowrank"."recipes_user_created";--> statement-breakpoint
CREATE INDEX "invitations_open" ON "identity"."invitations" USING btree ("created_at","id") WHERE accepted_at is null;--> statement-breakpoint
CREATE INDEX "users_created" ON "identity"."users" USING btree ("created_at","id");--> statement-breakpoint
CREATE INDEX "model_artifacts_job" ON "lowrank"."model_artifacts" USING btree ("job_id","created_at","id");--> statement-breakpoint
CREATE INDEX "gpu_devices_listed" ON "lowrank"."gpu_devices" USING btree ("worker_id","name","uuid");--> statement-breakpoint
CREATE INDEX "activities_user_created" ON "lowrank"."activities" USING btree ("user_id","created_at","id");--> statement-breakpoint
CREATE INDEX "activities_unread" ON "lowrank"."activities" USING btree ("user_id","created_at","id") WHERE not read;--> statement-breakpoint
CREATE INDEX "base_models_created" ON "lowrank"."base_models" USING btree ("created_at","id");--> statement-breakpoint
CREATE INDEX "datasets_user_created" ON "lowrank"."datasets" USING btree ("user_id","created_at","id");--> statement-breakpoint
CREATE INDEX "experiments_user_created" ON "lowrank"."experiments" USING btree ("user_id","created_at","id");--> statement-breakpoint
CREATE INDEX "api_keys_user" ON "identity"."api_keys" USING btree ("user_id","created_at","id");--> statement-breakpoint
CREATE INDEX "model_artifacts_user_created" ON "lowrank"."model_artifacts" USING btree ("user_id","created_at","id");--> statement-breakpoint
CREATE INDEX "projects_user_created" ON "lowrank"."projects" USING btree ("user_id","created_at","id");--> statement-breakpoint
CREATE INDEX "recipes_user_created" ON "lowrank"."recipes" USING btree ("user_id","created_at","id");