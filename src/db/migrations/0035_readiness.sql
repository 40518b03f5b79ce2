-- Which migrations a database has, the web process may hear for its readiness; of their table it sees nothing else.
CREATE FUNCTION lowrank.newest_migration() RETURNS bigint LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog AS $$
  SELECT max(created_at) FROM lowrank_migrations.__drizzle_migrations
$$;
--> statement-breakpoint
REVOKE ALL ON FUNCTION lowrank.newest_migration() FROM PUBLIC;
--> statement-breakpoint
GRANT EXECUTE ON FUNCTION lowrank.newest_migration() TO lowrank_identity;
