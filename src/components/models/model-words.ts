/** A base model's facts in a person's words. */
import type { BaseModel } from '#/contract/base-models.ts';

const SCALES = [
  [1e9, 'B'],
  [1e6, 'M'],
  [1e3, 'k'],
] as const;

/** 134515008 → `135 M parameters`. */
export function parametersWords(params: number | null): string | null {
  if (params === null) return null;
  for (const [scale, sign] of SCALES) {
    if (params < scale) continue;
    const value = params / scale;
    return `${value < 10 ? value.toFixed(1) : value.toFixed(0)} ${sign} parameters`;
  }
  return `${params} parameters`;
}

/** Where its files come from. */
export function sourceWords(model: BaseModel): string {
  if (model.hf_repo_id !== null) {
    const commit = model.hf_revision?.slice(0, 7);
    return commit === undefined ? model.hf_repo_id : `${model.hf_repo_id} at ${commit}`;
  }
  return model.in_place ? 'A folder of this machine' : 'Stored in the studio';
}
