/** The lines that load an adapter in PEFT, ready to be copied. */
export interface AdapterOrigin {
  base_model: { name: string; hf_repo_id: string | null; revision: string | null };
  /** Where the reader is going to have the adapter's files. */
  adapter_folder: string;
}

/** Python text. A local base model is named by a placeholder: where it lies elsewhere is not ours to say. */
export function loadingLines({ base_model, adapter_folder }: AdapterOrigin): string {
  const { name, hf_repo_id, revision } = base_model;
  const base = python(hf_repo_id ?? `path/to/${name}`);
  const pinned = hf_repo_id !== null && revision !== null ? `, revision=${python(revision)}` : '';
  const adapter = python(adapter_folder);
  return [
    'from peft import PeftModel',
    'from transformers import AutoModelForCausalLM, AutoTokenizer',
    '',
    `base = AutoModelForCausalLM.from_pretrained(${base}${pinned}, dtype="auto")`,
    `model = PeftModel.from_pretrained(base, ${adapter})`,
    `tokenizer = AutoTokenizer.from_pretrained(${adapter})`,
    '',
  ].join('\n');
}

/** A text as Python writes it: JSON's escapes are Python's, too, once what lies outside of ASCII is escaped. */
function python(text: string): string {
  return JSON.stringify(text).replace(/[^\x20-\x7e]/gu, (character) => {
    const code = character.codePointAt(0) ?? 0;
    return code > 0xffff ? `\\U${code.toString(16).padStart(8, '0')}` : `\\u${code.toString(16).padStart(4, '0')}`;
  });
}
