import * as z from 'zod';
import type { Artifact } from '#/contract/artifacts.ts';
import { loadingLines } from '#/domain/model-loading.ts';
import type { ArtifactRow } from '#/services/artifacts/artifact-row.ts';

/** The base model as the job stored it when it was submitted: it may be called otherwise by now. */
const JobConfig = z.object({
  base_model: z.object({ name: z.string(), hf_repo_id: z.string().nullable(), revision: z.string().nullable() }),
});

/** An artifact with its passport and the lines that load it. */
export function presentArtifact({ artifact, job }: ArtifactRow): Artifact {
  const base_model = JobConfig.safeParse(job.config).data?.base_model ?? { name: 'base-model', hf_repo_id: null, revision: null };
  return {
    id: artifact.id,
    job_id: artifact.job_id,
    job_name: job.name,
    name: artifact.name,
    kind: artifact.kind,
    files: artifact.files.map(({ id, path, sha256, bytes }) => ({ id, path, sha256, bytes })),
    storage_path: artifact.storage_path,
    sha256: artifact.sha256,
    size: artifact.size,
    base_model,
    quality_metrics: artifact.quality_metrics,
    training_summary: artifact.training_summary,
    passport: artifact.passport,
    loading: { language: 'python', text: loadingLines({ base_model, adapter_folder: 'path/to/adapter' }) },
    created_at: artifact.created_at.toISOString(),
  };
}
