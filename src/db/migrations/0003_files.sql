ALTER TABLE "lowrank"."base_models" ADD COLUMN "hf_requested_revision" text;--> statement-breakpoint
ALTER TABLE "lowrank"."base_models" ADD COLUMN "claim" integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "lowrank"."base_models" ADD COLUMN "attempts" smallint DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "lowrank"."base_models" ADD COLUMN "purged_at" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "lowrank"."datasets" ADD COLUMN "claim" integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "lowrank"."datasets" ADD COLUMN "attempts" smallint DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "lowrank"."datasets" ADD COLUMN "purged_at" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "lowrank"."model_artifacts" ADD COLUMN "purged_at" timestamp with time zone;