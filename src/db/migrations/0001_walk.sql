CREATE SCHEMA "identity";
--> statement-breakpoint
CREATE SCHEMA "lowrank";
--> statement-breakpoint
CREATE TABLE "lowrank"."base_models" (
	"id" uuid PRIMARY KEY DEFAULT gen_random_uuid() NOT NULL,
	"created_by" uuid,
	"name" text NOT NULL,
	"description" text DEFAULT '' NOT NULL,
	"family" text DEFAULT '' NOT NULL,
	"params_b" real,
	"params" bigint,
	"dtype" text,
	"context_length" integer,
	"hidden_size" integer,
	"num_layers" integer,
	"vocab_size" integer,
	"architecture" text,
	"modality" text DEFAULT 'text' NOT NULL,
	"trainable" boolean DEFAULT false NOT NULL,
	"servable" boolean DEFAULT false NOT NULL,
	"quantized" boolean DEFAULT false NOT NULL,
	"is_gguf" boolean DEFAULT false NOT NULL,
	"stage" text DEFAULT 'production' NOT NULL,
	"status" text NOT NULL,
	"status_reason" jsonb,
	"local_path" text,
	"storage_path" text,
	"size_bytes" bigint,
	"checksum" text,
	"hf_repo_id" text,
	"hf_revision" text,
	"has_chat_template" boolean DEFAULT false NOT NULL,
	"tags" text[] DEFAULT '{}' NOT NULL,
	"metadata" jsonb DEFAULT '{}'::jsonb NOT NULL,
	"lease_until" timestamp with time zone,
	"deleted_at" timestamp with time zone,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "base_models_status_check" CHECK (status in ('fetching', 'ready', 'error'))
);
--> statement-breakpoint
ALTER TABLE "lowrank"."base_models" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
CREATE TABLE "lowrank"."datasets" (
	"id" uuid PRIMARY KEY DEFAULT gen_random_uuid() NOT NULL,
	"user_id" uuid NOT NULL,
	"name" text NOT NULL,
	"description" text DEFAULT '' NOT NULL,
	"version" integer DEFAULT 1 NOT NULL,
	"modality" text DEFAULT 'text' NOT NULL,
	"format" text,
	"mapping" jsonb DEFAULT '{}'::jsonb NOT NULL,
	"invalid_rows" text DEFAULT 'refuse' NOT NULL,
	"status" text DEFAULT 'uploading' NOT NULL,
	"storage_path" text,
	"file_name" text NOT NULL,
	"file_size" bigint DEFAULT 0 NOT NULL,
	"checksum" text,
	"num_samples" integer,
	"total_training_pairs" integer,
	"total_validation_pairs" integer,
	"total_tokens" bigint,
	"avg_turns_per_conversation" real,
	"avg_tokens_per_turn" real,
	"training_ready" boolean DEFAULT false NOT NULL,
	"validated_at" timestamp with time zone,
	"validation_errors" jsonb DEFAULT '[]'::jsonb NOT NULL,
	"statistics" jsonb DEFAULT '{}'::jsonb NOT NULL,
	"sample_data" jsonb DEFAULT '[]'::jsonb NOT NULL,
	"tags" text[] DEFAULT '{}' NOT NULL,
	"metadata" jsonb DEFAULT '{}'::jsonb NOT NULL,
	"lease_until" timestamp with time zone,
	"deleted_at" timestamp with time zone,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "datasets_id_user_key" UNIQUE("id","user_id"),
	CONSTRAINT "datasets_status_check" CHECK (status in ('uploading', 'validating', 'ready', 'error')),
	CONSTRAINT "datasets_ready_check" CHECK (status <> 'ready' or (storage_path is not null and checksum is not null))
);
--> statement-breakpoint
ALTER TABLE "lowrank"."datasets" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
CREATE TABLE "identity"."accounts" (
	"id" uuid PRIMARY KEY DEFAULT gen_random_uuid() NOT NULL,
	"user_id" uuid NOT NULL,
	"account_id" text NOT NULL,
	"provider_id" text NOT NULL,
	"access_token" text,
	"refresh_token" text,
	"id_token" text,
	"access_token_expires_at" timestamp with time zone,
	"refresh_token_expires_at" timestamp with time zone,
	"scope" text,
	"password" text,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
ALTER TABLE "identity"."accounts" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
CREATE TABLE "identity"."api_keys" (
	"id" uuid PRIMARY KEY DEFAULT gen_random_uuid() NOT NULL,
	"user_id" uuid NOT NULL,
	"name" text NOT NULL,
	"prefix" text NOT NULL,
	"hash" text NOT NULL,
	"scopes" text[] NOT NULL,
	"expires_at" timestamp with time zone,
	"last_used_at" timestamp with time zone,
	"revoked_at" timestamp with time zone,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
ALTER TABLE "identity"."api_keys" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
CREATE TABLE "identity"."invitations" (
	"id" uuid PRIMARY KEY DEFAULT gen_random_uuid() NOT NULL,
	"email" text NOT NULL,
	"token_hash" text NOT NULL,
	"invited_by" uuid,
	"expires_at" timestamp with time zone NOT NULL,
	"accepted_at" timestamp with time zone,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
ALTER TABLE "identity"."invitations" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
CREATE TABLE "identity"."sessions" (
	"id" uuid PRIMARY KEY DEFAULT gen_random_uuid() NOT NULL,
	"user_id" uuid NOT NULL,
	"token" text NOT NULL,
	"expires_at" timestamp with time zone NOT NULL,
	"ip_address" text,
	"user_agent" text,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
ALTER TABLE "identity"."sessions" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
CREATE TABLE "identity"."users" (
	"id" uuid PRIMARY KEY DEFAULT gen_random_uuid() NOT NULL,
	"name" text NOT NULL,
	"email" text NOT NULL,
	"email_verified" boolean DEFAULT false NOT NULL,
	"image" text,
	"role" text DEFAULT 'user' NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
ALTER TABLE "identity"."users" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
CREATE TABLE "identity"."verifications" (
	"id" uuid PRIMARY KEY DEFAULT gen_random_uuid() NOT NULL,
	"identifier" text NOT NULL,
	"value" text NOT NULL,
	"expires_at" timestamp with time zone NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
ALTER TABLE "identity"."verifications" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
CREATE TABLE "lowrank"."job_events" (
	"job_id" uuid NOT NULL,
	"user_id" uuid NOT NULL,
	"seq" integer NOT NULL,
	"type" text NOT NULL,
	"from_status" text,
	"to_status" text,
	"attempt" smallint NOT NULL,
	"trainer_seq" integer,
	"message" text,
	"data" jsonb DEFAULT '{}'::jsonb NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "job_events_job_id_seq_pk" PRIMARY KEY("job_id","seq")
);
--> statement-breakpoint
ALTER TABLE "lowrank"."job_events" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
CREATE TABLE "lowrank"."job_runs" (
	"job_id" uuid NOT NULL,
	"user_id" uuid NOT NULL,
	"attempt" smallint NOT NULL,
	"epoch" integer NOT NULL,
	"worker_id" text NOT NULL,
	"executor" text NOT NULL,
	"handle" jsonb,
	"resumed_from_step" integer,
	"events_offset" bigint DEFAULT 0 NOT NULL,
	"events_seq" integer DEFAULT 0 NOT NULL,
	"events_rejected" integer DEFAULT 0 NOT NULL,
	"last_event_at" timestamp with time zone,
	"started_at" timestamp with time zone DEFAULT now() NOT NULL,
	"ended_at" timestamp with time zone,
	"exit" jsonb,
	CONSTRAINT "job_runs_job_id_attempt_pk" PRIMARY KEY("job_id","attempt")
);
--> statement-breakpoint
ALTER TABLE "lowrank"."job_runs" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
CREATE TABLE "lowrank"."job_slots" (
	"user_id" uuid NOT NULL,
	"slot" smallint NOT NULL,
	CONSTRAINT "job_slots_user_id_slot_pk" PRIMARY KEY("user_id","slot")
);
--> statement-breakpoint
ALTER TABLE "lowrank"."job_slots" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
CREATE TABLE "lowrank"."job_transitions" (
	"from_status" text NOT NULL,
	"to_status" text NOT NULL,
	CONSTRAINT "job_transitions_from_status_to_status_pk" PRIMARY KEY("from_status","to_status")
);
--> statement-breakpoint
ALTER TABLE "lowrank"."job_transitions" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
CREATE TABLE "lowrank"."metrics_points" (
	"job_id" uuid NOT NULL,
	"user_id" uuid NOT NULL,
	"attempt" smallint NOT NULL,
	"seq" integer NOT NULL,
	"step" integer NOT NULL,
	"epoch" real,
	"timestamp" timestamp with time zone NOT NULL,
	"loss" real,
	"eval_loss" real,
	"learning_rate" real,
	"grad_norm" real,
	"tokens_per_second" real,
	"samples_per_second" real,
	"gpu_memory_mb" real,
	"peak_memory_mb" real,
	"extra" jsonb,
	CONSTRAINT "metrics_points_job_id_attempt_seq_pk" PRIMARY KEY("job_id","attempt","seq")
);
--> statement-breakpoint
ALTER TABLE "lowrank"."metrics_points" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
CREATE TABLE "lowrank"."model_artifacts" (
	"id" uuid PRIMARY KEY DEFAULT gen_random_uuid() NOT NULL,
	"user_id" uuid NOT NULL,
	"job_id" uuid NOT NULL,
	"name" text NOT NULL,
	"kind" text NOT NULL,
	"storage_path" text NOT NULL,
	"files" jsonb NOT NULL,
	"sha256" text NOT NULL,
	"size" bigint NOT NULL,
	"quality_metrics" jsonb DEFAULT '{}'::jsonb NOT NULL,
	"training_summary" jsonb DEFAULT '{}'::jsonb NOT NULL,
	"passport" jsonb DEFAULT '{}'::jsonb NOT NULL,
	"deleted_at" timestamp with time zone,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "model_artifacts_kind_check" CHECK (kind in ('adapter', 'checkpoint'))
);
--> statement-breakpoint
ALTER TABLE "lowrank"."model_artifacts" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
CREATE TABLE "lowrank"."training_jobs" (
	"id" uuid PRIMARY KEY DEFAULT gen_random_uuid() NOT NULL,
	"user_id" uuid NOT NULL,
	"name" text NOT NULL,
	"type" text NOT NULL,
	"dataset_id" uuid NOT NULL,
	"base_model_id" uuid NOT NULL,
	"preset_id" text NOT NULL,
	"hyperparameters" jsonb NOT NULL,
	"gpu_config" jsonb NOT NULL,
	"config" jsonb NOT NULL,
	"priority" smallint DEFAULT 0 NOT NULL,
	"status" text DEFAULT 'queued' NOT NULL,
	"current_stage" text,
	"progress" real DEFAULT 0 NOT NULL,
	"current_epoch" real DEFAULT 0 NOT NULL,
	"total_epochs" integer NOT NULL,
	"current_step" integer DEFAULT 0 NOT NULL,
	"total_steps" integer NOT NULL,
	"current_metrics" jsonb DEFAULT '{}'::jsonb NOT NULL,
	"queued_at" timestamp with time zone DEFAULT now() NOT NULL,
	"started_at" timestamp with time zone,
	"completed_at" timestamp with time zone,
	"estimated_completion_at" timestamp with time zone,
	"estimated_total_cost" numeric(12, 2),
	"error_code" text,
	"error_message" text,
	"error_hint" text,
	"error_stack" text,
	"retry_count" smallint DEFAULT 0 NOT NULL,
	"retried_from" uuid,
	"executor" text,
	"artifact_id" uuid,
	"metadata" jsonb DEFAULT '{}'::jsonb NOT NULL,
	"cancel_requested_at" timestamp with time zone,
	"held_at" timestamp with time zone,
	"not_before" timestamp with time zone,
	"contact_lost_at" timestamp with time zone,
	"worker_id" text,
	"lease_until" timestamp with time zone,
	"epoch" integer DEFAULT 0 NOT NULL,
	"attempt" smallint DEFAULT 0 NOT NULL,
	"slot" smallint,
	"event_seq" integer DEFAULT 1 NOT NULL,
	"deleted_at" timestamp with time zone,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "training_jobs_id_user_key" UNIQUE("id","user_id"),
	CONSTRAINT "training_jobs_status_check" CHECK (status in ('queued', 'initializing', 'running', 'completed', 'failed', 'cancelled')),
	CONSTRAINT "training_jobs_preset_check" CHECK (preset_id in ('fast', 'balanced', 'quality', 'custom')),
	CONSTRAINT "training_jobs_progress_check" CHECK (progress between 0 and 100),
	CONSTRAINT "training_jobs_slot_check" CHECK ((status in ('initializing', 'running')) = (slot is not null)),
	CONSTRAINT "training_jobs_failed_check" CHECK ((status = 'failed') = (error_code is not null))
);
--> statement-breakpoint
ALTER TABLE "lowrank"."training_jobs" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
CREATE TABLE "lowrank"."user_queues" (
	"user_id" uuid PRIMARY KEY NOT NULL,
	"queued" integer DEFAULT 0 NOT NULL,
	"active" integer DEFAULT 0 NOT NULL,
	"active_max" integer NOT NULL,
	"last_claimed_at" timestamp with time zone,
	CONSTRAINT "user_queues_counts_check" CHECK (queued >= 0 and active >= 0)
);
--> statement-breakpoint
ALTER TABLE "lowrank"."user_queues" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
CREATE TABLE "lowrank"."gpu_devices" (
	"id" uuid PRIMARY KEY DEFAULT gen_random_uuid() NOT NULL,
	"worker_id" text NOT NULL,
	"kind" text NOT NULL,
	"uuid" text NOT NULL,
	"name" text NOT NULL,
	"memory_mb" integer NOT NULL,
	"last_seen_at" timestamp with time zone DEFAULT now() NOT NULL,
	"quarantined_at" timestamp with time zone,
	"quarantine_reason" text
);
--> statement-breakpoint
ALTER TABLE "lowrank"."gpu_devices" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
CREATE TABLE "lowrank"."gpu_leases" (
	"id" uuid PRIMARY KEY DEFAULT gen_random_uuid() NOT NULL,
	"device_id" uuid NOT NULL,
	"user_id" uuid NOT NULL,
	"job_id" uuid NOT NULL,
	"attempt" smallint NOT NULL,
	"leased_at" timestamp with time zone DEFAULT now() NOT NULL,
	"released_at" timestamp with time zone
);
--> statement-breakpoint
ALTER TABLE "lowrank"."gpu_leases" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
CREATE TABLE "lowrank"."notifications" (
	"id" uuid PRIMARY KEY DEFAULT gen_random_uuid() NOT NULL,
	"user_id" uuid NOT NULL,
	"type" text NOT NULL,
	"title" text NOT NULL,
	"message" text NOT NULL,
	"priority" text DEFAULT 'normal' NOT NULL,
	"read" boolean DEFAULT false NOT NULL,
	"action_url" text,
	"metadata" jsonb DEFAULT '{}'::jsonb NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
ALTER TABLE "lowrank"."notifications" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
CREATE TABLE "lowrank"."settings" (
	"key" text PRIMARY KEY NOT NULL,
	"value" jsonb NOT NULL,
	"updated_at" timestamp with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
ALTER TABLE "lowrank"."settings" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
CREATE TABLE "lowrank"."workers" (
	"id" text PRIMARY KEY NOT NULL,
	"boot_id" text NOT NULL,
	"pid" integer NOT NULL,
	"version" text NOT NULL,
	"started_at" timestamp with time zone DEFAULT now() NOT NULL,
	"heartbeat_at" timestamp with time zone DEFAULT now() NOT NULL,
	"stopped_at" timestamp with time zone,
	"facts" jsonb DEFAULT '{}'::jsonb NOT NULL
);
--> statement-breakpoint
ALTER TABLE "lowrank"."workers" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
ALTER TABLE "lowrank"."base_models" ADD CONSTRAINT "base_models_created_by_users_id_fk" FOREIGN KEY ("created_by") REFERENCES "identity"."users"("id") ON DELETE set null ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "lowrank"."datasets" ADD CONSTRAINT "datasets_user_id_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "identity"."users"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "identity"."accounts" ADD CONSTRAINT "accounts_user_id_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "identity"."users"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "identity"."api_keys" ADD CONSTRAINT "api_keys_user_id_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "identity"."users"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "identity"."invitations" ADD CONSTRAINT "invitations_invited_by_users_id_fk" FOREIGN KEY ("invited_by") REFERENCES "identity"."users"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "identity"."sessions" ADD CONSTRAINT "sessions_user_id_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "identity"."users"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "lowrank"."job_events" ADD CONSTRAINT "job_events_job_fk" FOREIGN KEY ("job_id","user_id") REFERENCES "lowrank"."training_jobs"("id","user_id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "lowrank"."job_runs" ADD CONSTRAINT "job_runs_job_fk" FOREIGN KEY ("job_id","user_id") REFERENCES "lowrank"."training_jobs"("id","user_id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "lowrank"."job_slots" ADD CONSTRAINT "job_slots_user_id_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "identity"."users"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "lowrank"."metrics_points" ADD CONSTRAINT "metrics_points_job_fk" FOREIGN KEY ("job_id","user_id") REFERENCES "lowrank"."training_jobs"("id","user_id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "lowrank"."model_artifacts" ADD CONSTRAINT "model_artifacts_user_id_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "identity"."users"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "lowrank"."model_artifacts" ADD CONSTRAINT "model_artifacts_job_fk" FOREIGN KEY ("job_id","user_id") REFERENCES "lowrank"."training_jobs"("id","user_id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "lowrank"."training_jobs" ADD CONSTRAINT "training_jobs_user_id_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "identity"."users"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "lowrank"."training_jobs" ADD CONSTRAINT "training_jobs_base_model_id_base_models_id_fk" FOREIGN KEY ("base_model_id") REFERENCES "lowrank"."base_models"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "lowrank"."training_jobs" ADD CONSTRAINT "training_jobs_slot_fk" FOREIGN KEY ("user_id","slot") REFERENCES "lowrank"."job_slots"("user_id","slot") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "lowrank"."training_jobs" ADD CONSTRAINT "training_jobs_dataset_fk" FOREIGN KEY ("dataset_id","user_id") REFERENCES "lowrank"."datasets"("id","user_id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "lowrank"."training_jobs" ADD CONSTRAINT "training_jobs_retried_from_fk" FOREIGN KEY ("retried_from","user_id") REFERENCES "lowrank"."training_jobs"("id","user_id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "lowrank"."user_queues" ADD CONSTRAINT "user_queues_user_id_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "identity"."users"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "lowrank"."gpu_devices" ADD CONSTRAINT "gpu_devices_worker_id_workers_id_fk" FOREIGN KEY ("worker_id") REFERENCES "lowrank"."workers"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "lowrank"."gpu_leases" ADD CONSTRAINT "gpu_leases_device_id_gpu_devices_id_fk" FOREIGN KEY ("device_id") REFERENCES "lowrank"."gpu_devices"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "lowrank"."gpu_leases" ADD CONSTRAINT "gpu_leases_job_fk" FOREIGN KEY ("job_id","user_id") REFERENCES "lowrank"."training_jobs"("id","user_id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "lowrank"."notifications" ADD CONSTRAINT "notifications_user_id_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "identity"."users"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "base_models_created" ON "lowrank"."base_models" USING btree ("created_at");--> statement-breakpoint
CREATE INDEX "base_models_importer" ON "lowrank"."base_models" USING btree ("created_by");--> statement-breakpoint
CREATE INDEX "base_models_fetching" ON "lowrank"."base_models" USING btree ("created_at") WHERE status = 'fetching';--> statement-breakpoint
CREATE INDEX "datasets_user_created" ON "lowrank"."datasets" USING btree ("user_id","created_at");--> statement-breakpoint
CREATE INDEX "datasets_user_checksum" ON "lowrank"."datasets" USING btree ("user_id","checksum");--> statement-breakpoint
CREATE INDEX "datasets_validating" ON "lowrank"."datasets" USING btree ("created_at") WHERE status = 'validating';--> statement-breakpoint
CREATE INDEX "accounts_user" ON "identity"."accounts" USING btree ("user_id");--> statement-breakpoint
CREATE UNIQUE INDEX "api_keys_hash_key" ON "identity"."api_keys" USING btree ("hash");--> statement-breakpoint
CREATE INDEX "api_keys_user" ON "identity"."api_keys" USING btree ("user_id");--> statement-breakpoint
CREATE UNIQUE INDEX "invitations_token_key" ON "identity"."invitations" USING btree ("token_hash");--> statement-breakpoint
CREATE UNIQUE INDEX "sessions_token_key" ON "identity"."sessions" USING btree ("token");--> statement-breakpoint
CREATE INDEX "sessions_user" ON "identity"."sessions" USING btree ("user_id");--> statement-breakpoint
CREATE UNIQUE INDEX "users_email_key" ON "identity"."users" USING btree ("email");--> statement-breakpoint
CREATE INDEX "verifications_identifier" ON "identity"."verifications" USING btree ("identifier");--> statement-breakpoint
CREATE UNIQUE INDEX "job_events_trainer_key" ON "lowrank"."job_events" USING btree ("job_id","attempt","trainer_seq") WHERE trainer_seq is not null;--> statement-breakpoint
CREATE UNIQUE INDEX "model_artifacts_adapter_key" ON "lowrank"."model_artifacts" USING btree ("job_id") WHERE kind = 'adapter';--> statement-breakpoint
CREATE INDEX "model_artifacts_user_created" ON "lowrank"."model_artifacts" USING btree ("user_id","created_at");--> statement-breakpoint
CREATE UNIQUE INDEX "training_jobs_slot_key" ON "lowrank"."training_jobs" USING btree ("user_id","slot");--> statement-breakpoint
CREATE INDEX "training_jobs_user_created" ON "lowrank"."training_jobs" USING btree ("user_id","created_at" DESC NULLS LAST,"id" DESC NULLS LAST);--> statement-breakpoint
CREATE INDEX "training_jobs_user_status" ON "lowrank"."training_jobs" USING btree ("user_id","status");--> statement-breakpoint
CREATE INDEX "training_jobs_dataset" ON "lowrank"."training_jobs" USING btree ("dataset_id");--> statement-breakpoint
CREATE INDEX "training_jobs_queue" ON "lowrank"."training_jobs" USING btree ("user_id","priority" DESC NULLS LAST,"queued_at","id") WHERE status = 'queued' and held_at is null;--> statement-breakpoint
CREATE INDEX "training_jobs_held_by_worker" ON "lowrank"."training_jobs" USING btree ("worker_id") WHERE status in ('initializing', 'running');--> statement-breakpoint
CREATE INDEX "user_queues_next" ON "lowrank"."user_queues" USING btree ("active","last_claimed_at") WHERE queued > 0;--> statement-breakpoint
CREATE UNIQUE INDEX "gpu_devices_uuid_key" ON "lowrank"."gpu_devices" USING btree ("worker_id","uuid");--> statement-breakpoint
CREATE UNIQUE INDEX "gpu_leases_open_key" ON "lowrank"."gpu_leases" USING btree ("device_id") WHERE released_at is null;--> statement-breakpoint
CREATE INDEX "gpu_leases_job" ON "lowrank"."gpu_leases" USING btree ("job_id");--> statement-breakpoint
CREATE INDEX "notifications_user_created" ON "lowrank"."notifications" USING btree ("user_id","created_at");--> statement-breakpoint
CREATE POLICY "base_models_read" ON "lowrank"."base_models" AS PERMISSIVE FOR SELECT TO public USING ((select auth.uid()) is not null);--> statement-breakpoint
CREATE POLICY "base_models_import" ON "lowrank"."base_models" AS PERMISSIVE FOR INSERT TO public WITH CHECK (created_by = (select auth.uid()));--> statement-breakpoint
CREATE POLICY "base_models_importer_update" ON "lowrank"."base_models" AS PERMISSIVE FOR UPDATE TO public USING (created_by = (select auth.uid())) WITH CHECK (created_by = (select auth.uid()));--> statement-breakpoint
CREATE POLICY "base_models_scheduler" ON "lowrank"."base_models" AS PERMISSIVE FOR ALL TO "lowrank_scheduler" USING (true) WITH CHECK (true);--> statement-breakpoint
CREATE POLICY "datasets_own" ON "lowrank"."datasets" AS PERMISSIVE FOR ALL TO public USING (user_id = (select auth.uid())) WITH CHECK (user_id = (select auth.uid()));--> statement-breakpoint
CREATE POLICY "datasets_scheduler" ON "lowrank"."datasets" AS PERMISSIVE FOR ALL TO "lowrank_scheduler" USING (true) WITH CHECK (true);--> statement-breakpoint
CREATE POLICY "accounts_identity" ON "identity"."accounts" AS PERMISSIVE FOR ALL TO "lowrank_identity" USING (true) WITH CHECK (true);--> statement-breakpoint
CREATE POLICY "api_keys_identity" ON "identity"."api_keys" AS PERMISSIVE FOR ALL TO "lowrank_identity" USING (true) WITH CHECK (true);--> statement-breakpoint
CREATE POLICY "invitations_identity" ON "identity"."invitations" AS PERMISSIVE FOR ALL TO "lowrank_identity" USING (true) WITH CHECK (true);--> statement-breakpoint
CREATE POLICY "sessions_identity" ON "identity"."sessions" AS PERMISSIVE FOR ALL TO "lowrank_identity" USING (true) WITH CHECK (true);--> statement-breakpoint
CREATE POLICY "users_identity" ON "identity"."users" AS PERMISSIVE FOR ALL TO "lowrank_identity" USING (true) WITH CHECK (true);--> statement-breakpoint
CREATE POLICY "verifications_identity" ON "identity"."verifications" AS PERMISSIVE FOR ALL TO "lowrank_identity" USING (true) WITH CHECK (true);--> statement-breakpoint
CREATE POLICY "job_events_own_read" ON "lowrank"."job_events" AS PERMISSIVE FOR SELECT TO public USING (user_id = (select auth.uid()));--> statement-breakpoint
CREATE POLICY "job_events_by_trigger" ON "lowrank"."job_events" AS PERMISSIVE FOR INSERT TO public WITH CHECK (user_id = (select auth.uid()) and pg_trigger_depth() > 0);--> statement-breakpoint
CREATE POLICY "job_events_scheduler" ON "lowrank"."job_events" AS PERMISSIVE FOR ALL TO "lowrank_scheduler" USING (true) WITH CHECK (true);--> statement-breakpoint
CREATE POLICY "job_runs_own" ON "lowrank"."job_runs" AS PERMISSIVE FOR ALL TO public USING (user_id = (select auth.uid())) WITH CHECK (user_id = (select auth.uid()));--> statement-breakpoint
CREATE POLICY "job_runs_scheduler" ON "lowrank"."job_runs" AS PERMISSIVE FOR ALL TO "lowrank_scheduler" USING (true) WITH CHECK (true);--> statement-breakpoint
CREATE POLICY "job_slots_own" ON "lowrank"."job_slots" AS PERMISSIVE FOR ALL TO public USING (user_id = (select auth.uid())) WITH CHECK (user_id = (select auth.uid()));--> statement-breakpoint
CREATE POLICY "job_slots_scheduler" ON "lowrank"."job_slots" AS PERMISSIVE FOR ALL TO "lowrank_scheduler" USING (true) WITH CHECK (true);--> statement-breakpoint
CREATE POLICY "job_transitions_read" ON "lowrank"."job_transitions" AS PERMISSIVE FOR SELECT TO public USING (true);--> statement-breakpoint
CREATE POLICY "metrics_points_own" ON "lowrank"."metrics_points" AS PERMISSIVE FOR ALL TO public USING (user_id = (select auth.uid())) WITH CHECK (user_id = (select auth.uid()));--> statement-breakpoint
CREATE POLICY "metrics_points_scheduler" ON "lowrank"."metrics_points" AS PERMISSIVE FOR ALL TO "lowrank_scheduler" USING (true) WITH CHECK (true);--> statement-breakpoint
CREATE POLICY "model_artifacts_own" ON "lowrank"."model_artifacts" AS PERMISSIVE FOR ALL TO public USING (user_id = (select auth.uid())) WITH CHECK (user_id = (select auth.uid()));--> statement-breakpoint
CREATE POLICY "model_artifacts_scheduler" ON "lowrank"."model_artifacts" AS PERMISSIVE FOR ALL TO "lowrank_scheduler" USING (true) WITH CHECK (true);--> statement-breakpoint
CREATE POLICY "training_jobs_own" ON "lowrank"."training_jobs" AS PERMISSIVE FOR ALL TO public USING (user_id = (select auth.uid())) WITH CHECK (user_id = (select auth.uid()));--> statement-breakpoint
CREATE POLICY "training_jobs_scheduler" ON "lowrank"."training_jobs" AS PERMISSIVE FOR ALL TO "lowrank_scheduler" USING (true) WITH CHECK (true);--> statement-breakpoint
CREATE POLICY "user_queues_own" ON "lowrank"."user_queues" AS PERMISSIVE FOR ALL TO public USING (user_id = (select auth.uid())) WITH CHECK (user_id = (select auth.uid()));--> statement-breakpoint
CREATE POLICY "user_queues_scheduler" ON "lowrank"."user_queues" AS PERMISSIVE FOR ALL TO "lowrank_scheduler" USING (true) WITH CHECK (true);--> statement-breakpoint
CREATE POLICY "gpu_devices_scheduler" ON "lowrank"."gpu_devices" AS PERMISSIVE FOR ALL TO "lowrank_scheduler" USING (true) WITH CHECK (true);--> statement-breakpoint
CREATE POLICY "gpu_leases_scheduler" ON "lowrank"."gpu_leases" AS PERMISSIVE FOR ALL TO "lowrank_scheduler" USING (true) WITH CHECK (true);--> statement-breakpoint
CREATE POLICY "notifications_own" ON "lowrank"."notifications" AS PERMISSIVE FOR ALL TO public USING (user_id = (select auth.uid())) WITH CHECK (user_id = (select auth.uid()));--> statement-breakpoint
CREATE POLICY "notifications_scheduler" ON "lowrank"."notifications" AS PERMISSIVE FOR ALL TO "lowrank_scheduler" USING (true) WITH CHECK (true);--> statement-breakpoint
CREATE POLICY "settings_read" ON "lowrank"."settings" AS PERMISSIVE FOR SELECT TO public USING (true);--> statement-breakpoint
CREATE POLICY "settings_identity" ON "lowrank"."settings" AS PERMISSIVE FOR ALL TO "lowrank_identity" USING (true) WITH CHECK (true);--> statement-breakpoint
CREATE POLICY "workers_scheduler" ON "lowrank"."workers" AS PERMISSIVE FOR ALL TO "lowrank_scheduler" USING (true) WITH CHECK (true);