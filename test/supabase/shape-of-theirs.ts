/** Everything in a project that is not ours, as lines: objects with owner and grants, columns, sources, policies, default privileges. */
export const SHAPE_OF_THEIRS = `
  WITH theirs AS (SELECT * FROM pg_namespace WHERE nspname IN ('auth', 'storage', 'extensions', 'public'))
  SELECT concat_ws(' ', 'schema', nspname, nspowner::regrole, nspacl) AS line FROM theirs
  UNION ALL SELECT concat_ws(' ', 'relation', c.oid::regclass, c.relkind, c.relowner::regrole, c.relrowsecurity, c.relforcerowsecurity, c.relacl)
    FROM pg_class c JOIN theirs t ON t.oid = c.relnamespace
  UNION ALL SELECT concat_ws(' ', 'column', a.attrelid::regclass, a.attname, a.atttypid::regtype, a.attnotnull, a.attacl)
    FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN theirs t ON t.oid = c.relnamespace WHERE a.attnum > 0
  UNION ALL SELECT concat_ws(' ', 'function', p.oid::regprocedure, p.proowner::regrole, md5(p.prosrc), p.prosecdef, p.proconfig, p.proacl)
    FROM pg_proc p JOIN theirs t ON t.oid = p.pronamespace
  UNION ALL SELECT concat_ws(' ', 'policy', schemaname, tablename, policyname, permissive, roles, cmd, qual, with_check)
    FROM pg_policies JOIN theirs ON nspname = schemaname
  UNION ALL SELECT concat_ws(' ', 'trigger', g.tgrelid::regclass, g.tgname, g.tgenabled)
    FROM pg_trigger g JOIN pg_class c ON c.oid = g.tgrelid JOIN theirs t ON t.oid = c.relnamespace WHERE NOT g.tgisinternal
  UNION ALL SELECT concat_ws(' ', 'constraint', k.conrelid::regclass, k.conname, pg_get_constraintdef(k.oid))
    FROM pg_constraint k JOIN theirs t ON t.oid = k.connamespace WHERE k.contype IN ('p', 'u', 'f', 'c')
  UNION ALL SELECT concat_ws(' ', 'default', d.defaclrole::regrole, coalesce(n.nspname, 'everywhere'), d.defaclobjtype, d.defaclacl)
    FROM pg_default_acl d LEFT JOIN pg_namespace n ON n.oid = d.defaclnamespace
    WHERE coalesce(n.nspname, '') NOT IN ('lowrank', 'identity')
  ORDER BY 1`;
