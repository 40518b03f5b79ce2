ALTER TABLE "lowrank"."base_models" ADD COLUMN "claimed_at" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "lowrank"."datasets" ADD COLUMN "claimed_at" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "lowrank"."transfers" ADD COLUMN "claimed_at" timestamp with time zone;--> statement-breakpoint
CREATE INDEX "base_models_turns" ON "lowrank"."base_models" USING btree ("created_by","claimed_at") WHERE claimed_at is not null;--> statement-breakpoint
CREATE INDEX "datasets_turns" ON "lowrank"."datasets" USING btree ("user_id","claimed_at") WHERE claimed_at is not null;--> statement-breakpoint
CREATE INDEX "transfers_turns" ON "lowrank"."transfers" USING btree ("user_id","kind","claimed_at") WHERE claimed_at is not null;