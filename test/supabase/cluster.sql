-- The roles of a Supabase project, run once a server by a superuser who is not called postgres. From Supabase's own schema files.
CREATE ROLE anon NOLOGIN NOINHERIT;
CREATE ROLE authenticated NOLOGIN NOINHERIT;
CREATE ROLE service_role NOLOGIN NOINHERIT BYPASSRLS;
CREATE ROLE authenticator LOGIN NOINHERIT;
CREATE ROLE supabase_auth_admin LOGIN NOINHERIT CREATEROLE;
CREATE ROLE supabase_storage_admin LOGIN NOINHERIT CREATEROLE;
CREATE ROLE dashboard_user NOLOGIN CREATEDB CREATEROLE;
-- Whom a project's DATABASE_URL names: no superuser, but past every policy.
CREATE ROLE postgres LOGIN NOSUPERUSER CREATEDB CREATEROLE REPLICATION BYPASSRLS;
GRANT anon, authenticated, service_role TO authenticator;
GRANT anon, authenticated, service_role TO postgres WITH ADMIN OPTION;
GRANT pg_monitor, pg_read_all_data, pg_signal_backend TO postgres;
ALTER ROLE postgres SET search_path TO "$user", public, extensions;
-- Stands in for the extension supautils, whose policy_grants let postgres make policies on storage.objects without owning it.
-- It grants more than that, so the tests compare what the schema was with what it is.
GRANT supabase_storage_admin TO postgres;
