ALTER TABLE "identity"."users" ADD COLUMN "is_subject" boolean DEFAULT false NOT NULL;--> statement-breakpoint
-- Policies bind the tables' owner, too. People who came by a token have an e-mail that nobody can sign up with: their own id is in it.
ALTER TABLE identity.users NO FORCE ROW LEVEL SECURITY;--> statement-breakpoint
UPDATE identity.users SET is_subject = true WHERE email = id || '@supabase.invalid';--> statement-breakpoint
ALTER TABLE identity.users FORCE ROW LEVEL SECURITY;
