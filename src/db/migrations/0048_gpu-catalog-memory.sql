ALTER TABLE "lowrank"."gpu_catalog" ADD COLUMN "memory_gb" numeric(7, 1);--> statement-breakpoint
ALTER TABLE "lowrank"."gpu_catalog" ADD COLUMN "like" text;--> statement-breakpoint
ALTER TABLE "lowrank"."gpu_catalog" ADD CONSTRAINT "gpu_catalog_memory_check" CHECK (memory_gb > 0);