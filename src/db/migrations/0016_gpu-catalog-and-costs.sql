CREATE TABLE "lowrank"."cost_records" (
	"job_id" uuid NOT NULL,
	"user_id" uuid NOT NULL,
	"type" text NOT NULL,
	"billing_period" date NOT NULL,
	"unit_price" numeric(12, 2) NOT NULL,
	"quantity" numeric(18, 6) NOT NULL,
	"amount" numeric(12, 2) NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "cost_records_job_id_type_billing_period_pk" PRIMARY KEY("job_id","type","billing_period"),
	CONSTRAINT "cost_records_type_check" CHECK (type in ('compute', 'storage')),
	CONSTRAINT "cost_records_amount_check" CHECK (amount = round(quantity * unit_price, 2) and quantity >= 0 and unit_price >= 0),
	CONSTRAINT "cost_records_period_check" CHECK (extract(day from billing_period) = 1)
);
--> statement-breakpoint
ALTER TABLE "lowrank"."cost_records" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
CREATE TABLE "lowrank"."gpu_catalog" (
	"id" uuid PRIMARY KEY DEFAULT gen_random_uuid() NOT NULL,
	"type" text NOT NULL,
	"aliases" text[] DEFAULT '{}' NOT NULL,
	"hourly_rate" numeric(10, 2) NOT NULL,
	"tokens_per_second" integer NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "gpu_catalog_figures_check" CHECK (hourly_rate >= 0 and tokens_per_second > 0)
);
--> statement-breakpoint
ALTER TABLE "lowrank"."gpu_catalog" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
ALTER TABLE "lowrank"."job_runs" ADD COLUMN "metered_s" numeric(14, 3) DEFAULT '0' NOT NULL;--> statement-breakpoint
ALTER TABLE "lowrank"."training_jobs" ADD COLUMN "hourly_rate" numeric(12, 2) DEFAULT '0' NOT NULL;--> statement-breakpoint
ALTER TABLE "lowrank"."training_jobs" ADD COLUMN "current_cost" numeric(12, 2) DEFAULT '0' NOT NULL;--> statement-breakpoint
ALTER TABLE "lowrank"."training_jobs" ADD COLUMN "final_cost" numeric(12, 2);--> statement-breakpoint
ALTER TABLE "lowrank"."cost_records" ADD CONSTRAINT "cost_records_job_fk" FOREIGN KEY ("job_id","user_id") REFERENCES "lowrank"."training_jobs"("id","user_id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "cost_records_user_period" ON "lowrank"."cost_records" USING btree ("user_id","billing_period");--> statement-breakpoint
CREATE UNIQUE INDEX "gpu_catalog_type_key" ON "lowrank"."gpu_catalog" USING btree (lower("type"));--> statement-breakpoint
CREATE POLICY "gpu_devices_read" ON "lowrank"."gpu_devices" AS PERMISSIVE FOR SELECT TO public USING ((select auth.uid()) is not null);--> statement-breakpoint
CREATE POLICY "cost_records_own" ON "lowrank"."cost_records" AS PERMISSIVE FOR ALL TO public USING (user_id = (select auth.uid())) WITH CHECK (user_id = (select auth.uid()));--> statement-breakpoint
CREATE POLICY "cost_records_scheduler" ON "lowrank"."cost_records" AS PERMISSIVE FOR ALL TO "lowrank_scheduler" USING (true) WITH CHECK (true);--> statement-breakpoint
CREATE POLICY "gpu_catalog_read" ON "lowrank"."gpu_catalog" AS PERMISSIVE FOR SELECT TO public USING ((select auth.uid()) is not null);--> statement-breakpoint
CREATE POLICY "gpu_catalog_identity" ON "lowrank"."gpu_catalog" AS PERMISSIVE FOR ALL TO "lowrank_identity" USING (true) WITH CHECK (true);--> statement-breakpoint
ALTER POLICY "idempotency_keys_identity" ON "lowrank"."idempotency_keys" TO lowrank_identity USING (route in ('POST /api/keys', 'POST /api/invitations', 'POST /api/gpu-catalog')) WITH CHECK (route in ('POST /api/keys', 'POST /api/invitations', 'POST /api/gpu-catalog'));