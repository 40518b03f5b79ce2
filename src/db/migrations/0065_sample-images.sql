CREATE TABLE "lowrank"."sample_images" (
	"job_id" uuid NOT NULL,
	"user_id" uuid NOT NULL,
	"seq" integer NOT NULL,
	"attempt" smallint NOT NULL,
	"status" text DEFAULT 'pending' NOT NULL,
	"error_code" text,
	"bytes" integer NOT NULL,
	"sha256" text NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "sample_images_user_id_job_id_seq_pk" PRIMARY KEY("user_id","job_id","seq"),
	CONSTRAINT "sample_images_status_check" CHECK (status in ('pending', 'kept', 'refused')),
	CONSTRAINT "sample_images_refused_check" CHECK ((status = 'refused') = (error_code is not null))
);
--> statement-breakpoint
ALTER TABLE "lowrank"."sample_images" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
ALTER TABLE "lowrank"."training_jobs" ADD COLUMN "samples" integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "lowrank"."sample_images" ADD CONSTRAINT "sample_images_job_fk" FOREIGN KEY ("job_id","user_id") REFERENCES "lowrank"."training_jobs"("id","user_id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "sample_images_job" ON "lowrank"."sample_images" USING btree ("job_id","seq");--> statement-breakpoint
CREATE INDEX "sample_images_pending" ON "lowrank"."sample_images" USING btree ("job_id","seq") WHERE status = 'pending';--> statement-breakpoint
CREATE POLICY "sample_images_own" ON "lowrank"."sample_images" AS PERMISSIVE FOR ALL TO public USING (user_id = (select auth.uid())) WITH CHECK (user_id = (select auth.uid()));--> statement-breakpoint
CREATE POLICY "sample_images_scheduler" ON "lowrank"."sample_images" AS PERMISSIVE FOR ALL TO "lowrank_scheduler" USING (true) WITH CHECK (true);