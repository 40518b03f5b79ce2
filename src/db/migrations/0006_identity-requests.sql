CREATE POLICY "idempotency_keys_identity" ON "lowrank"."idempotency_keys" AS PERMISSIVE FOR ALL TO "lowrank_identity" USING (route in ('POST /api/keys', 'POST /api/invitations')) WITH CHECK (route in ('POST /api/keys', 'POST /api/invitations'));--> statement-breakpoint
GRANT SELECT, INSERT, DELETE ON lowrank.idempotency_keys TO lowrank_identity;
