CREATE TABLE "lowrank"."dataset_images" (
	"dataset_id" uuid NOT NULL,
	"user_id" uuid NOT NULL,
	"n" integer NOT NULL,
	"file" text NOT NULL,
	"caption" text,
	"width" integer NOT NULL,
	"height" integer NOT NULL,
	"bytes" integer NOT NULL,
	"repeats" integer NOT NULL,
	"is_class" boolean NOT NULL,
	"sha256" text NOT NULL,
	"thumbnail_offset" integer NOT NULL,
	"thumbnail_length" integer NOT NULL,
	CONSTRAINT "dataset_images_user_id_dataset_id_n_pk" PRIMARY KEY("user_id","dataset_id","n")
);
--> statement-breakpoint
ALTER TABLE "lowrank"."dataset_images" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
ALTER TABLE "lowrank"."datasets" ADD COLUMN "received_checksum" text;--> statement-breakpoint
ALTER TABLE "lowrank"."datasets" ADD COLUMN "findings" jsonb DEFAULT '[]'::jsonb NOT NULL;--> statement-breakpoint
ALTER TABLE "lowrank"."datasets" ADD COLUMN "check_done" integer;--> statement-breakpoint
ALTER TABLE "lowrank"."datasets" ADD COLUMN "check_total" integer;--> statement-breakpoint
ALTER TABLE "lowrank"."dataset_images" ADD CONSTRAINT "dataset_images_dataset_fk" FOREIGN KEY ("dataset_id","user_id") REFERENCES "lowrank"."datasets"("id","user_id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
CREATE POLICY "dataset_images_own" ON "lowrank"."dataset_images" AS PERMISSIVE FOR ALL TO public USING (user_id = (select auth.uid())) WITH CHECK (user_id = (select auth.uid()));--> statement-breakpoint
CREATE POLICY "dataset_images_scheduler" ON "lowrank"."dataset_images" AS PERMISSIVE FOR ALL TO "lowrank_scheduler" USING (true) WITH CHECK (true);