import { sql } from 'drizzle-orm';
import { check, foreignKey, index, integer, primaryKey, smallint, text, uuid } from 'drizzle-orm/pg-core';
import { SAMPLE_IMAGE_REFUSALS, SAMPLE_IMAGE_STATUSES, type SampleImageRefusal } from '#/domain/sample-images.ts';
import { trainingJobs } from './jobs.ts';
import { createdAt, lowrank, oneOf, ownRows, schedulerRows } from './roles.ts';

/** The pictures that trainers told of in their `sample` events; what was drawn, and how, stands in the event. */
export const sampleImages = lowrank.table(
  'sample_images',
  {
    job_id: uuid('job_id').notNull(),
    user_id: uuid('user_id').notNull(),
    /** the number of its event; its file in storage has it, too */
    seq: integer('seq').notNull(),
    attempt: smallint('attempt').notNull(),
    status: text('status', { enum: SAMPLE_IMAGE_STATUSES }).notNull().default('pending'),
    /** why it is not kept */
    error_code: text('error_code', { enum: Object.keys(SAMPLE_IMAGE_REFUSALS) as [SampleImageRefusal] }),
    /** of its file, as its trainer told and as it was found to be when it was stored */
    bytes: integer('bytes').notNull(),
    sha256: text('sha256').notNull(),
    created_at: createdAt(),
  },
  (t) => [
    primaryKey({ columns: [t.user_id, t.job_id, t.seq] }),
    foreignKey({
      name: 'sample_images_job_fk',
      columns: [t.job_id, t.user_id],
      foreignColumns: [trainingJobs.id, trainingJobs.user_id],
    }).onDelete('cascade'),
    check('sample_images_status_check', oneOf('status', SAMPLE_IMAGE_STATUSES)),
    check('sample_images_refused_check', sql`(status = 'refused') = (error_code is not null)`),
    index('sample_images_job').on(t.job_id, t.seq),
    index('sample_images_pending').on(t.job_id, t.seq).where(sql`status = 'pending'`),
    ownRows('sample_images'),
    schedulerRows('sample_images'),
  ],
);
