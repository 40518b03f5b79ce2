import * as z from 'zod';
import type { Artifact } from '#/contract/artifacts.ts';
import { adapterLibrary } from '#/domain/adapter-weights.ts';
import { loadingLines } from '#/domain/model-loading.ts';
import type { ArtifactRow } from '#/services/artifacts/artifact-row.ts';
import { downloadFolder } from '#/services/artifacts/download-artifact.ts';

/** The base model as the job stored it when it was submitted: it may be called otherwise by now. */
const JobConfig = z.object({
  base_model: z.object({
    name: z.string(),
    hf_repo_id: z.string().nullable(),
    revision: z.string().nullable(),
    checksum: z.string().nullable().default(null),
  }),
});
const UNKNOWN = { name: 'base-model', hf_repo_id: null, revision: null, checksum: null };

/** An artifact with its passport and the lines that load it. */
export function presentArtifact({ artifact, job }: ArtifactRow): Artifact {
  const trained_on = JobConfig.safeParse(job.config).data?.base_model ?? UNKNOWN;
  const { name, hf_repo_id, revision } = trained_on;
  const library = adapterLibrary(artifact.files) ?? 'peft';
  const text = loadingLines({ base_model: trained_on, adapter_folder: downloadFolder(artifact), library });
  return {
    id: artifact.id,
    job_id: artifact.job_id,
    job_name: job.name,
    name: artifact.name,
    kind: artifact.kind,
    parent_model_id: artifact.parent_model_id,
    files: artifact.files.map(({ id, path, sha256, bytes }) => ({ id, path, sha256, bytes })),
    storage_path: artifact.storage_path,
    sha256: artifact.sha256,
    size: artifact.size,
    base_model: { name, hf_repo_id, revision },
    quality_metrics: artifact.quality_metrics,
    training_summary: artifact.training_summary,
    passport: artifact.passport,
    loading: { language: 'python', text },
    created_at: artifact.created_at.toISOString(),
  };
}
