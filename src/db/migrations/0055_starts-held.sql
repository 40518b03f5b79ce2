-- Why no training is started right now, and for how many seconds yet; null when trainings may start. A window that ends before it begins
-- ends on the next day. A value of another shape holds nothing back.
CREATE FUNCTION lowrank.starts_held(instant timestamptz DEFAULT clock_timestamp()) RETURNS jsonb LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog AS $$
  SELECT coalesce(
    (SELECT jsonb_build_object('reason', 'draining', 'in_s', NULL) FROM lowrank.settings WHERE key = 'draining' AND value = 'true'),
    (SELECT jsonb_build_object('reason', 'quiet_hours', 'in_s', extract(epoch FROM max(quiet.until) - instant))
      FROM lowrank.settings s,
        LATERAL (SELECT s.value ->> 'time_zone' AS zone, (s.value ->> 'begin')::time AS begins, (s.value ->> 'end')::time AS ends,
          (instant AT TIME ZONE (s.value ->> 'time_zone')) AS here) AS told,
        LATERAL (SELECT told.here::date - back AS day FROM generate_series(0, 1) AS back) AS since,
        LATERAL (SELECT since.day + told.begins AS begun,
          since.day + told.ends + CASE WHEN told.ends <= told.begins THEN interval '1 day' ELSE interval '0' END AS over) AS hours,
        LATERAL (SELECT hours.over AT TIME ZONE told.zone AS until) AS quiet
      WHERE s.key = 'quiet_hours' AND jsonb_typeof(s.value) = 'object'
        AND s.value -> 'weekdays' @> to_jsonb(extract(isodow FROM since.day)::integer) AND told.here >= hours.begun AND told.here < hours.over
      HAVING count(*) > 0))
$$;
--> statement-breakpoint
REVOKE ALL ON FUNCTION lowrank.starts_held(timestamptz) FROM PUBLIC;
--> statement-breakpoint
GRANT EXECUTE ON FUNCTION lowrank.starts_held(timestamptz) TO lowrank_scheduler, lowrank_web;
--> statement-breakpoint
-- What may start again is looked at now and not at the next sweep.
CREATE TRIGGER tell_work AFTER UPDATE ON lowrank.settings FOR EACH ROW
  WHEN (NEW.key IN ('draining', 'quiet_hours')) EXECUTE FUNCTION lowrank.tell_work();
