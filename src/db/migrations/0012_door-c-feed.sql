CREATE TABLE "lowrank"."activities" (
	"id" uuid PRIMARY KEY DEFAULT gen_random_uuid() NOT NULL,
	"user_id" uuid NOT NULL,
	"project_id" uuid,
	"event_type" text NOT NULL,
	"entity_type" text NOT NULL,
	"entity_id" uuid NOT NULL,
	"title" text NOT NULL,
	"message" text NOT NULL,
	"status" text,
	"metadata" jsonb DEFAULT '{}'::jsonb NOT NULL,
	"read" boolean DEFAULT false NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "activities_event_check" CHECK (event_type in ('job_created', 'job_started', 'job_completed', 'job_failed', 'job_cancelled', 'transfer_started', 'transfer_completed', 'transfer_failed', 'dataset_imported', 'model_created')),
	CONSTRAINT "activities_entity_check" CHECK (entity_type in ('job', 'transfer', 'experiment', 'dataset', 'model'))
);
--> statement-breakpoint
ALTER TABLE "lowrank"."activities" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
CREATE TABLE "lowrank"."experiments" (
	"id" uuid PRIMARY KEY DEFAULT gen_random_uuid() NOT NULL,
	"user_id" uuid NOT NULL,
	"project_id" uuid,
	"name" text NOT NULL,
	"recipe_id" uuid NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "experiments_id_user_key" UNIQUE("id","user_id")
);
--> statement-breakpoint
ALTER TABLE "lowrank"."experiments" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
CREATE TABLE "lowrank"."recipes" (
	"id" uuid PRIMARY KEY DEFAULT gen_random_uuid() NOT NULL,
	"user_id" uuid NOT NULL,
	"project_id" uuid,
	"name" text NOT NULL,
	"description" text DEFAULT '' NOT NULL,
	"method" text NOT NULL,
	"overrides" jsonb DEFAULT '{}'::jsonb NOT NULL,
	"tags" text[] DEFAULT '{}' NOT NULL,
	"metadata" jsonb DEFAULT '{}'::jsonb NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "recipes_method_check" CHECK (method in ('lora', 'qlora', 'dora', 'dreambooth', 'full'))
);
--> statement-breakpoint
ALTER TABLE "lowrank"."recipes" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
ALTER TABLE "lowrank"."training_jobs" ADD COLUMN "recipe_id" uuid;--> statement-breakpoint
ALTER TABLE "lowrank"."training_jobs" ADD COLUMN "experiment_id" uuid;--> statement-breakpoint
ALTER TABLE "lowrank"."activities" ADD CONSTRAINT "activities_user_id_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "identity"."users"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "lowrank"."experiments" ADD CONSTRAINT "experiments_user_id_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "identity"."users"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "lowrank"."recipes" ADD CONSTRAINT "recipes_user_id_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "identity"."users"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "activities_user_created" ON "lowrank"."activities" USING btree ("user_id","created_at");--> statement-breakpoint
CREATE INDEX "activities_unread" ON "lowrank"."activities" USING btree ("user_id","created_at") WHERE not read;--> statement-breakpoint
CREATE INDEX "activities_entity" ON "lowrank"."activities" USING btree ("user_id","entity_id");--> statement-breakpoint
CREATE INDEX "activities_project" ON "lowrank"."activities" USING btree ("project_id");--> statement-breakpoint
CREATE INDEX "experiments_user_created" ON "lowrank"."experiments" USING btree ("user_id","created_at");--> statement-breakpoint
CREATE INDEX "experiments_project" ON "lowrank"."experiments" USING btree ("project_id");--> statement-breakpoint
CREATE INDEX "recipes_user_created" ON "lowrank"."recipes" USING btree ("user_id","created_at");--> statement-breakpoint
CREATE INDEX "recipes_project" ON "lowrank"."recipes" USING btree ("project_id");--> statement-breakpoint
ALTER TABLE "lowrank"."training_jobs" ADD CONSTRAINT "training_jobs_experiment_fk" FOREIGN KEY ("experiment_id","user_id") REFERENCES "lowrank"."experiments"("id","user_id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "training_jobs_experiment" ON "lowrank"."training_jobs" USING btree ("experiment_id","created_at");--> statement-breakpoint
CREATE POLICY "activities_own" ON "lowrank"."activities" AS PERMISSIVE FOR ALL TO public USING (user_id = (select auth.uid())) WITH CHECK (user_id = (select auth.uid()));--> statement-breakpoint
CREATE POLICY "activities_scheduler" ON "lowrank"."activities" AS PERMISSIVE FOR ALL TO "lowrank_scheduler" USING (true) WITH CHECK (true);--> statement-breakpoint
CREATE POLICY "experiments_own" ON "lowrank"."experiments" AS PERMISSIVE FOR ALL TO public USING (user_id = (select auth.uid())) WITH CHECK (user_id = (select auth.uid()));--> statement-breakpoint
CREATE POLICY "recipes_own" ON "lowrank"."recipes" AS PERMISSIVE FOR ALL TO public USING (user_id = (select auth.uid())) WITH CHECK (user_id = (select auth.uid()));