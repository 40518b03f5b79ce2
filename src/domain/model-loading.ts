/** The lines that load an adapter in PEFT or diffusers, ready to be copied. */
import { ADAPTER_WEIGHTS, type AdapterLibrary } from './adapter-weights.ts';

export interface AdapterOrigin {
  base_model: {
    name: string;
    hf_repo_id: string | null;
    revision: string | null;
    /** SHA-256 of the weights, hex; null where it is not known. */
    checksum: string | null;
  };
  /** The folder that the download unpacks to. */
  adapter_folder: string;
  library: AdapterLibrary;
}

/**
 * Python text. A model of the Hub is named as it was trained on; one that lies in a folder of the studio's machine is the one
 * thing to fill in, for where it lies elsewhere is not ours to say.
 */
export function loadingLines({ base_model, adapter_folder, library }: AdapterOrigin): string {
  const { name, hf_repo_id, revision, checksum } = base_model;
  const pinned = hf_repo_id !== null && revision !== null ? `, revision=${python(revision)}` : '';
  const base =
    hf_repo_id !== null
      ? [`BASE = ${python(hf_repo_id)}`]
      : [
          `# The base model ${python(name)} is not on the Hub:`,
          '# put the folder here that the studio was given for it.',
          ...(checksum === null ? [] : ['# The SHA-256 of its weights:', `# ${checksum}`]),
          `BASE = ${python(`/path/to/${name.split('/').at(-1)}`)}`,
        ];
  const places = [...base, '# The folder that the download of all files unpacks to.', `ADAPTER = ${python(adapter_folder)}`];
  if (library === 'diffusers')
    return [
      '# pip install torch diffusers transformers peft',
      'from diffusers import DiffusionPipeline',
      '',
      ...places,
      '',
      `pipeline = DiffusionPipeline.from_pretrained(BASE${pinned})`,
      'pipeline.load_lora_weights(',
      `    ADAPTER, weight_name=${python(ADAPTER_WEIGHTS.diffusers)}`,
      ')',
      '',
    ].join('\n');
  return [
    '# pip install torch transformers peft',
    'from peft import PeftModel',
    'from transformers import AutoModelForCausalLM, AutoTokenizer',
    '',
    ...places,
    '',
    `model = AutoModelForCausalLM.from_pretrained(BASE${pinned}, dtype="auto")`,
    'model = PeftModel.from_pretrained(model, ADAPTER)',
    'tokenizer = AutoTokenizer.from_pretrained(ADAPTER)',
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
