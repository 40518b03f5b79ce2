CREATE TABLE "lowrank"."webhook_deliveries" (
	"id" uuid PRIMARY KEY DEFAULT gen_random_uuid() NOT NULL,
	"user_id" uuid NOT NULL,
	"webhook_id" uuid NOT NULL,
	"event" text NOT NULL,
	"payload" text NOT NULL,
	"status" text DEFAULT 'pending' NOT NULL,
	"attempts" smallint DEFAULT 0 NOT NULL,
	"next_attempt_at" timestamp with time zone DEFAULT now() NOT NULL,
	"last_attempt_at" timestamp with time zone,
	"last_status" smallint,
	"last_error" text,
	"delivered_at" timestamp with time zone,
	"tries" jsonb DEFAULT '[]'::jsonb NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "webhook_deliveries_status_check" CHECK (status in ('pending', 'delivered', 'failed'))
);
--> statement-breakpoint
ALTER TABLE "lowrank"."webhook_deliveries" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
CREATE TABLE "lowrank"."webhook_secrets" (
	"id" uuid PRIMARY KEY DEFAULT gen_random_uuid() NOT NULL,
	"user_id" uuid NOT NULL,
	"webhook_id" uuid NOT NULL,
	"sealed" text NOT NULL,
	"expires_at" timestamp with time zone,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
ALTER TABLE "lowrank"."webhook_secrets" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
CREATE TABLE "lowrank"."webhooks" (
	"id" uuid PRIMARY KEY DEFAULT gen_random_uuid() NOT NULL,
	"user_id" uuid NOT NULL,
	"url" text NOT NULL,
	"description" text DEFAULT '' NOT NULL,
	"events" text[] DEFAULT '{}' NOT NULL,
	"enabled" boolean DEFAULT true NOT NULL,
	"disabled_reason" text,
	"lease_until" timestamp with time zone,
	"claim" integer DEFAULT 0 NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "webhooks_id_user_key" UNIQUE("id","user_id"),
	CONSTRAINT "webhooks_reason_check" CHECK (disabled_reason is null or not enabled)
);
--> statement-breakpoint
ALTER TABLE "lowrank"."webhooks" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
ALTER TABLE "lowrank"."webhook_deliveries" ADD CONSTRAINT "webhook_deliveries_webhook_fk" FOREIGN KEY ("webhook_id","user_id") REFERENCES "lowrank"."webhooks"("id","user_id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "lowrank"."webhook_secrets" ADD CONSTRAINT "webhook_secrets_webhook_fk" FOREIGN KEY ("webhook_id","user_id") REFERENCES "lowrank"."webhooks"("id","user_id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "lowrank"."webhooks" ADD CONSTRAINT "webhooks_user_id_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "identity"."users"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "webhook_deliveries_due" ON "lowrank"."webhook_deliveries" USING btree ("webhook_id","next_attempt_at") WHERE status = 'pending';--> statement-breakpoint
CREATE INDEX "webhook_deliveries_log" ON "lowrank"."webhook_deliveries" USING btree ("user_id","webhook_id","created_at","id");--> statement-breakpoint
CREATE INDEX "webhook_deliveries_created" ON "lowrank"."webhook_deliveries" USING btree ("created_at");--> statement-breakpoint
CREATE UNIQUE INDEX "webhook_secrets_in_use_key" ON "lowrank"."webhook_secrets" USING btree ("user_id","webhook_id") WHERE expires_at is null;--> statement-breakpoint
CREATE INDEX "webhook_secrets_webhook" ON "lowrank"."webhook_secrets" USING btree ("user_id","webhook_id");--> statement-breakpoint
CREATE INDEX "webhooks_user_created" ON "lowrank"."webhooks" USING btree ("user_id","created_at","id");--> statement-breakpoint
CREATE POLICY "webhook_deliveries_own" ON "lowrank"."webhook_deliveries" AS PERMISSIVE FOR ALL TO public USING (user_id = (select auth.uid())) WITH CHECK (user_id = (select auth.uid()));--> statement-breakpoint
CREATE POLICY "webhook_deliveries_scheduler" ON "lowrank"."webhook_deliveries" AS PERMISSIVE FOR ALL TO "lowrank_scheduler" USING (true) WITH CHECK (true);--> statement-breakpoint
CREATE POLICY "webhook_deliveries_delivery" ON "lowrank"."webhook_deliveries" AS PERMISSIVE FOR ALL TO "lowrank_delivery" USING (true) WITH CHECK (true);--> statement-breakpoint
CREATE POLICY "webhook_secrets_own" ON "lowrank"."webhook_secrets" AS PERMISSIVE FOR ALL TO public USING (user_id = (select auth.uid())) WITH CHECK (user_id = (select auth.uid()));--> statement-breakpoint
CREATE POLICY "webhook_secrets_delivery" ON "lowrank"."webhook_secrets" AS PERMISSIVE FOR ALL TO "lowrank_delivery" USING (true) WITH CHECK (true);--> statement-breakpoint
CREATE POLICY "webhooks_own" ON "lowrank"."webhooks" AS PERMISSIVE FOR ALL TO public USING (user_id = (select auth.uid())) WITH CHECK (user_id = (select auth.uid()));--> statement-breakpoint
CREATE POLICY "webhooks_scheduler" ON "lowrank"."webhooks" AS PERMISSIVE FOR ALL TO "lowrank_scheduler" USING (true) WITH CHECK (true);--> statement-breakpoint
CREATE POLICY "webhooks_delivery" ON "lowrank"."webhooks" AS PERMISSIVE FOR ALL TO "lowrank_delivery" USING (true) WITH CHECK (true);