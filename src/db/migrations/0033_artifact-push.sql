ALTER TABLE "lowrank"."transfers" DROP CONSTRAINT "transfers_kind_check";--> statement-breakpoint
ALTER TABLE "lowrank"."transfers" DROP CONSTRAINT "transfers_direction_check";--> statement-breakpoint
ALTER TABLE "lowrank"."transfers" ADD COLUMN "artifact_id" uuid;--> statement-breakpoint
ALTER TABLE "lowrank"."model_artifacts" ADD CONSTRAINT "model_artifacts_id_user_key" UNIQUE("id","user_id");--> statement-breakpoint
ALTER TABLE "lowrank"."transfers" ADD CONSTRAINT "transfers_artifact_fk" FOREIGN KEY ("artifact_id","user_id") REFERENCES "lowrank"."model_artifacts"("id","user_id") ON DELETE SET NULL ("artifact_id") ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "transfers_artifact" ON "lowrank"."transfers" USING btree ("artifact_id");--> statement-breakpoint
CREATE INDEX "transfers_artifacts_waiting" ON "lowrank"."transfers" USING btree ("created_at") WHERE kind = 'artifact' and status in ('pending', 'running');--> statement-breakpoint
ALTER TABLE "lowrank"."transfers" ADD CONSTRAINT "transfers_artifact_check" CHECK (kind = 'artifact' or artifact_id is null);--> statement-breakpoint
ALTER TABLE "lowrank"."transfers" ADD CONSTRAINT "transfers_export_check" CHECK ((direction = 'export') = (kind = 'artifact'));--> statement-breakpoint
ALTER TABLE "lowrank"."transfers" ADD CONSTRAINT "transfers_push_token_check" CHECK (kind <> 'artifact' or token is not null or not (status in ('pending', 'running')));--> statement-breakpoint
ALTER TABLE "lowrank"."transfers" ADD CONSTRAINT "transfers_kind_check" CHECK (kind in ('model', 'dataset', 'artifact'));--> statement-breakpoint
ALTER TABLE "lowrank"."transfers" ADD CONSTRAINT "transfers_direction_check" CHECK (direction in ('import', 'export'));