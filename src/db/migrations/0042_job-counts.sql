ALTER TABLE "lowrank"."user_queues" ADD COLUMN "waiting" integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "lowrank"."user_queues" ADD COLUMN "completed" integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "lowrank"."user_queues" ADD COLUMN "failed" integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "lowrank"."user_queues" ADD COLUMN "cancelled" integer DEFAULT 0 NOT NULL;