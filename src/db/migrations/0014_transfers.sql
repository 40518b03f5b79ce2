CREATE TABLE "lowrank"."transfers" (
	"id" uuid PRIMARY KEY DEFAULT gen_random_uuid() NOT NULL,
	"user_id" uuid NOT NULL,
	"kind" text NOT NULL,
	"direction" text DEFAULT 'import' NOT NULL,
	"name" text,
	"hf_repo_id" text NOT NULL,
	"hf_requested_revision" text NOT NULL,
	"hf_revision" text,
	"options" jsonb DEFAULT '{}'::jsonb NOT NULL,
	"status" text DEFAULT 'pending' NOT NULL,
	"bytes_done" bigint DEFAULT 0 NOT NULL,
	"bytes_total" bigint,
	"bytes_per_second" bigint,
	"files" integer,
	"error_code" text,
	"error_message" text,
	"dataset_id" uuid,
	"base_model_id" uuid,
	"lease_until" timestamp with time zone,
	"claim" integer DEFAULT 0 NOT NULL,
	"attempts" smallint DEFAULT 0 NOT NULL,
	"started_at" timestamp with time zone,
	"completed_at" timestamp with time zone,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "transfers_kind_check" CHECK (kind in ('model', 'dataset')),
	CONSTRAINT "transfers_direction_check" CHECK (direction in ('import')),
	CONSTRAINT "transfers_status_check" CHECK (status in ('pending', 'running', 'completed', 'failed', 'cancelled')),
	CONSTRAINT "transfers_error_check" CHECK ((status = 'failed') = (error_code is not null and error_message is not null)),
	CONSTRAINT "transfers_pinned_check" CHECK (status <> 'completed' or hf_revision is not null),
	CONSTRAINT "transfers_model_check" CHECK (kind = 'model' or base_model_id is null),
	CONSTRAINT "transfers_dataset_check" CHECK (dataset_id is null or (kind = 'dataset' and status = 'completed'))
);
--> statement-breakpoint
ALTER TABLE "lowrank"."transfers" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
ALTER TABLE "lowrank"."transfers" ADD CONSTRAINT "transfers_user_id_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "identity"."users"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "lowrank"."transfers" ADD CONSTRAINT "transfers_base_model_id_base_models_id_fk" FOREIGN KEY ("base_model_id") REFERENCES "lowrank"."base_models"("id") ON DELETE set null ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "lowrank"."transfers" ADD CONSTRAINT "transfers_dataset_fk" FOREIGN KEY ("dataset_id","user_id") REFERENCES "lowrank"."datasets"("id","user_id") ON DELETE SET NULL ("dataset_id") ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "transfers_user_created" ON "lowrank"."transfers" USING btree ("user_id","created_at","id");--> statement-breakpoint
CREATE INDEX "transfers_dataset" ON "lowrank"."transfers" USING btree ("dataset_id");--> statement-breakpoint
CREATE INDEX "transfers_model" ON "lowrank"."transfers" USING btree ("base_model_id","status");--> statement-breakpoint
CREATE UNIQUE INDEX "transfers_open_model_key" ON "lowrank"."transfers" USING btree ("user_id","base_model_id") WHERE status in ('pending', 'running');--> statement-breakpoint
CREATE INDEX "transfers_datasets_waiting" ON "lowrank"."transfers" USING btree ("created_at") WHERE kind = 'dataset' and status in ('pending', 'running');--> statement-breakpoint
CREATE POLICY "transfers_own" ON "lowrank"."transfers" AS PERMISSIVE FOR ALL TO public USING (user_id = (select auth.uid())) WITH CHECK (user_id = (select auth.uid()));--> statement-breakpoint
CREATE POLICY "transfers_scheduler" ON "lowrank"."transfers" AS PERMISSIVE FOR ALL TO "lowrank_scheduler" USING (true) WITH CHECK (true);