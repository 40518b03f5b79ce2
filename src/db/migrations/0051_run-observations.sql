CREATE TABLE "lowrank"."run_groups" (
	"gpu" text NOT NULL,
	"stack_version" text NOT NULL,
	"method" text NOT NULL,
	"formulas" integer NOT NULL,
	"memory" jsonb NOT NULL,
	"time" jsonb NOT NULL,
	"turn" bigint NOT NULL,
	CONSTRAINT "run_groups_gpu_stack_version_method_formulas_pk" PRIMARY KEY("gpu","stack_version","method","formulas"),
	CONSTRAINT "run_groups_method_check" CHECK (method in ('lora', 'qlora', 'dora', 'full'))
);
--> statement-breakpoint
ALTER TABLE "lowrank"."run_groups" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
CREATE TABLE "lowrank"."run_observations" (
	"id" uuid PRIMARY KEY NOT NULL,
	"user_id" uuid NOT NULL,
	"outcome" text NOT NULL,
	"gpu" text NOT NULL,
	"stack_version" text NOT NULL,
	"method" text NOT NULL,
	"formulas" integer NOT NULL,
	"feature_key" text NOT NULL,
	"forecast" jsonb NOT NULL,
	"measured" jsonb NOT NULL,
	"memory_residual" double precision,
	"time_residual" double precision,
	"memory_at_least" double precision,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "run_observations_outcome_check" CHECK (outcome in ('completed', 'failed', 'cancelled')),
	CONSTRAINT "run_observations_method_check" CHECK (method in ('lora', 'qlora', 'dora', 'full'))
);
--> statement-breakpoint
ALTER TABLE "lowrank"."run_observations" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
ALTER TABLE "lowrank"."run_observations" ADD CONSTRAINT "run_observations_job_fk" FOREIGN KEY ("id","user_id") REFERENCES "lowrank"."training_jobs"("id","user_id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "run_groups_newest" ON "lowrank"."run_groups" USING btree ("formulas","turn");--> statement-breakpoint
CREATE INDEX "run_observations_user_created" ON "lowrank"."run_observations" USING btree ("user_id","created_at","id");--> statement-breakpoint
CREATE INDEX "run_observations_group" ON "lowrank"."run_observations" USING btree ("gpu","stack_version","method","formulas","created_at");--> statement-breakpoint
CREATE POLICY "run_groups_read" ON "lowrank"."run_groups" AS PERMISSIVE FOR SELECT TO public USING ((select auth.uid()) is not null);--> statement-breakpoint
CREATE POLICY "run_groups_scheduler" ON "lowrank"."run_groups" AS PERMISSIVE FOR ALL TO "lowrank_scheduler" USING (true) WITH CHECK (true);--> statement-breakpoint
CREATE POLICY "run_observations_own" ON "lowrank"."run_observations" AS PERMISSIVE FOR ALL TO public USING (user_id = (select auth.uid())) WITH CHECK (user_id = (select auth.uid()));--> statement-breakpoint
CREATE POLICY "run_observations_scheduler" ON "lowrank"."run_observations" AS PERMISSIVE FOR ALL TO "lowrank_scheduler" USING (true) WITH CHECK (true);