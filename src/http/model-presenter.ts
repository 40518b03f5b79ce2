import type { BaseModel } from '#/contract/base-models.ts';
import { shapeOfRow } from '#/domain/foresight/models/stored-shape.ts';
import type { BaseModelRow } from '#/services/models/model-row.ts';

/**
 * A base model as `user_id` sees it; `fetched` is how far their own transfer of it is. Host paths stay here: of a model in
 * place only its name is told.
 */
export function presentModel(row: BaseModelRow, user_id: string, fetched: BaseModel['fetched'] = null): BaseModel {
  return {
    id: row.id,
    project_id: row.project_id,
    name: row.name,
    family: row.family,
    description: row.description,
    params_b: row.params_b,
    params: row.params,
    dtype: row.dtype,
    context_length: row.context_length,
    hidden_size: row.hidden_size,
    num_layers: row.num_layers,
    vocab_size: row.vocab_size,
    architecture: row.architecture,
    shape: shapeOfRow(row.shape),
    modality: row.modality,
    trainable: row.trainable,
    servable: row.servable,
    quantized: row.quantized,
    is_gguf: row.is_gguf,
    has_chat_template: row.has_chat_template,
    license: row.license,
    stage: row.stage,
    status: row.status,
    status_reason: row.status_reason,
    fetched,
    in_place: row.local_path !== null,
    storage_path: row.storage_path,
    tokenizer_path: row.storage_path === null ? null : `${row.storage_path}/tokenizer.json`,
    size_bytes: row.size_bytes,
    checksum: row.checksum,
    hf_repo_id: row.hf_repo_id,
    hf_revision: row.hf_revision,
    hf_requested_revision: row.hf_requested_revision,
    tags: row.tags,
    metadata: { ...row.user_metadata, ...row.metadata },
    model_card: row.model_card,
    created_by_me: row.created_by === user_id,
    created_at: row.created_at.toISOString(),
    updated_at: row.updated_at.toISOString(),
  };
}
