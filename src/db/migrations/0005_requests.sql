CREATE TABLE "lowrank"."idempotency_keys" (
	"user_id" uuid NOT NULL,
	"route" text NOT NULL,
	"key" text NOT NULL,
	"request_hash" text NOT NULL,
	"resource_id" text NOT NULL,
	"answer" "bytea",
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "idempotency_keys_user_id_route_key_pk" PRIMARY KEY("user_id","route","key")
);
--> statement-breakpoint
ALTER TABLE "lowrank"."idempotency_keys" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
CREATE TABLE "lowrank"."rate_limits" (
	"bucket" text PRIMARY KEY NOT NULL,
	"window_started_at" timestamp with time zone NOT NULL,
	"used" integer NOT NULL
);
--> statement-breakpoint
ALTER TABLE "lowrank"."rate_limits" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
ALTER TABLE "lowrank"."idempotency_keys" ADD CONSTRAINT "idempotency_keys_user_id_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "identity"."users"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "idempotency_keys_user_created" ON "lowrank"."idempotency_keys" USING btree ("user_id","created_at");--> statement-breakpoint
CREATE INDEX "rate_limits_started" ON "lowrank"."rate_limits" USING btree ("window_started_at");--> statement-breakpoint
CREATE POLICY "idempotency_keys_own" ON "lowrank"."idempotency_keys" AS PERMISSIVE FOR ALL TO public USING (user_id = (select auth.uid())) WITH CHECK (user_id = (select auth.uid()));--> statement-breakpoint
CREATE POLICY "rate_limits_identity" ON "lowrank"."rate_limits" AS PERMISSIVE FOR ALL TO "lowrank_identity" USING (true) WITH CHECK (true);--> statement-breakpoint
ALTER TABLE "lowrank"."idempotency_keys" FORCE ROW LEVEL SECURITY;--> statement-breakpoint
ALTER TABLE "lowrank"."rate_limits" FORCE ROW LEVEL SECURITY;--> statement-breakpoint
REVOKE ALL ON lowrank.idempotency_keys, lowrank.rate_limits FROM PUBLIC;--> statement-breakpoint
DO $$
DECLARE r text;
BEGIN
  FOREACH r IN ARRAY ARRAY['anon', 'authenticated'] LOOP
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = r) THEN
      EXECUTE format('REVOKE ALL ON lowrank.idempotency_keys, lowrank.rate_limits FROM %I', r);
    END IF;
  END LOOP;
END $$;
--> statement-breakpoint
GRANT SELECT, INSERT, DELETE ON lowrank.idempotency_keys TO lowrank_web;--> statement-breakpoint
GRANT UPDATE (answer) ON lowrank.idempotency_keys TO lowrank_web;--> statement-breakpoint
GRANT SELECT, INSERT, UPDATE, DELETE ON lowrank.rate_limits TO lowrank_identity;
