import { useQueryClient } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { isTerminal } from '#/domain/statuses.ts';
import { emptyRecord, type JobRecord } from './job-record.ts';
import { jobKey, LISTS } from './query-keys.ts';
import { type Connection, SharedStream } from './shared-stream.ts';

export interface JobEvents {
  record: JobRecord;
  connection: Connection;
}

/** The live stream of one job, drawn at most once a frame. Its newest job row goes to every query that shows the job. */
export function useJobEvents(job_id: string): JobEvents {
  const queries = useQueryClient();
  const [shown, setShown] = useState<JobEvents>(() => ({
    record: emptyRecord(),
    version: 0,
    connection: { state: 'connecting' },
  }));
  useEffect(() => {
    let frame = 0;
    let row: JobRecord['job'] = null;
    const draw = () => {
      frame = 0;
      const { record, connection } = stream;
      if (record.job !== null && record.job !== row) {
        if (row?.status !== record.job.status && isTerminal(record.job.status))
          void queries.invalidateQueries({ queryKey: LISTS.jobs });
        row = record.job;
        queries.setQueryData(jobKey(job_id), row);
      }
      setShown({ record: { ...record }, connection });
    };
    const stream = new SharedStream(job_id, () => {
      if (frame === 0) frame = requestAnimationFrame(draw);
    });
    stream.open();
    return () => {
      cancelAnimationFrame(frame);
      stream.close();
    };
  }, [job_id, queries]);
  return shown;
}
