CREATE TABLE "lowrank"."projects" (
	"id" uuid PRIMARY KEY DEFAULT gen_random_uuid() NOT NULL,
	"user_id" uuid NOT NULL,
	"name" text NOT NULL,
	"description" text DEFAULT '' NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "projects_id_user_key" UNIQUE("id","user_id")
);
--> statement-breakpoint
ALTER TABLE "lowrank"."projects" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
ALTER TABLE "lowrank"."base_models" ADD COLUMN "user_metadata" jsonb DEFAULT '{}'::jsonb NOT NULL;--> statement-breakpoint
ALTER TABLE "lowrank"."base_models" ADD COLUMN "model_card" text;--> statement-breakpoint
ALTER TABLE "lowrank"."datasets" ADD COLUMN "project_id" uuid;--> statement-breakpoint
ALTER TABLE "lowrank"."projects" ADD CONSTRAINT "projects_user_id_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "identity"."users"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "projects_user_created" ON "lowrank"."projects" USING btree ("user_id","created_at");--> statement-breakpoint
CREATE INDEX "datasets_project" ON "lowrank"."datasets" USING btree ("project_id");--> statement-breakpoint
CREATE POLICY "base_models_administrators" ON "lowrank"."base_models" AS PERMISSIVE FOR ALL TO "lowrank_identity" USING (true) WITH CHECK (true);--> statement-breakpoint
CREATE POLICY "projects_own" ON "lowrank"."projects" AS PERMISSIVE FOR ALL TO public USING (user_id = (select auth.uid())) WITH CHECK (user_id = (select auth.uid()));