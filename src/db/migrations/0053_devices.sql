ALTER TABLE "lowrank"."gpu_devices" ADD COLUMN "index" smallint;--> statement-breakpoint
ALTER TABLE "lowrank"."gpu_devices" ADD COLUMN "mig_profile" text;--> statement-breakpoint
ALTER TABLE "lowrank"."gpu_devices" ADD COLUMN "mig_card_uuid" text;--> statement-breakpoint
ALTER TABLE "lowrank"."gpu_devices" ADD COLUMN "memory_used_mb" integer;--> statement-breakpoint
ALTER TABLE "lowrank"."gpu_devices" ADD COLUMN "utilization_percent" smallint;--> statement-breakpoint
ALTER TABLE "lowrank"."gpu_devices" ADD COLUMN "foreign_processes" integer DEFAULT 0 NOT NULL;