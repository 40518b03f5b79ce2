/**
 * Door A's table as data: each field's rule by what it takes and what it refuses. Values are JSON text, for some cannot be
 * written as a value (1e309, -0). `UUID` stands for a dataset that the caller may train on.
 */
import { HYPERPARAMETER_RANGES } from '#/domain/hyperparameters.ts';

export interface FieldRow {
  field: string;
  /** JSON text of what is taken when the field is absent; null: it is required; undefined: there is none to compare. */
  default: string | null | undefined;
  takes: string[];
  /** JSON text, the row's code, and the row's path where it lies deeper. */
  refuses: [value: string, code: string, path?: string][];
}

export const NO_NUMBERS: [string, string][] = [
  ['true', 'invalid_type'],
  ['null', 'invalid_type'],
  ['"4"', 'invalid_type'],
  ['"NaN"', 'invalid_type'],
  ['[4]', 'invalid_type'],
  ['{}', 'invalid_type'],
  ['1e309', 'invalid_type'],
  ['-1e309', 'invalid_type'],
];

/** A whole number between two bounds. */
export const whole = (field: string, min: number, max: number, fallback: number | null | undefined): FieldRow => ({
  field,
  default: fallback == null ? fallback : String(fallback),
  takes: [String(min), String(max), `${min}.0`],
  refuses: [
    ...NO_NUMBERS,
    [String(min - 1), 'too_small'],
    [String(max + 1), 'too_big'],
    ['-1', 'too_small'],
    [`${min}.5`, 'invalid_type'],
    [`${min}.0000001`, 'invalid_type'],
    ['9007199254740993', 'too_big'],
  ],
});

export const DOOR_A_FIELDS: FieldRow[] = [
  {
    field: 'dataset_id',
    default: null,
    takes: ['"UUID"'],
    refuses: [
      ['"123"', 'invalid_format'],
      ['""', 'invalid_format'],
      ['7', 'invalid_type'],
      ['null', 'invalid_type'],
      ['["UUID"]', 'invalid_type'],
      ['"{3f0c9f52-6b0e-4f53-9a51-0a2d6b1f8a11}"', 'invalid_format'],
      ['"urn:uuid:3f0c9f52-6b0e-4f53-9a51-0a2d6b1f8a11"', 'invalid_format'],
    ],
  },
  {
    field: 'type',
    default: null,
    takes: ['"lora"'],
    refuses: [
      ['"LoRA"', 'invalid_value'],
      ['"full"', 'invalid_value'],
      ['""', 'invalid_value'],
      ['null', 'invalid_value'],
      ['1', 'invalid_value'],
    ],
  },
  {
    field: 'base_model',
    default: null,
    takes: ['"acme/tiny"', '"acme/tiny@main"', '"acme/tiny@c0ffee"'],
    refuses: [
      ['"tiny"', 'invalid'],
      ['""', 'invalid'],
      ['"acme/tiny@"', 'invalid'],
      ['"acme/tiny@a b"', 'invalid'],
      ['"acme/tiny/more"', 'invalid'],
      ['"../tiny"', 'invalid'],
      ['"/models/tiny"', 'invalid'],
      ['"https://huggingface.co/acme/tiny"', 'invalid'],
      ['7', 'invalid_type'],
      ['null', 'invalid_type'],
    ],
  },
  {
    field: 'name',
    default: undefined,
    takes: ['"a"', `"${'a'.repeat(120)}"`, '"=HYPERLINK(\\"http://x\\")"', '"../../x"', '"Ünïcode 猫"'],
    refuses: [
      ['""', 'too_small'],
      ['"   "', 'too_small'],
      [`"${'a'.repeat(121)}"`, 'too_big'],
      ['"a\\nb"', 'invalid_format'],
      ['"a\\u202eb"', 'invalid_format'],
      ['"a\\u0000b"', 'invalid_characters'],
      ['7', 'invalid_type'],
      ['null', 'invalid_type'],
    ],
  },
  {
    field: 'config',
    default: null,
    takes: ['{}'],
    refuses: [
      ['null', 'invalid_type'],
      ['[]', 'invalid_type'],
      ['"{}"', 'invalid_type'],
      ['1', 'invalid_type'],
      ['{"stesp":100}', 'unknown_field', 'config.stesp'],
      ['{"__proto__":{"steps":1}}', 'unknown_field', 'config.__proto__'],
      ['{"constructor":{"prototype":{}}}', 'unknown_field', 'config.constructor'],
      ['{"steps":100,"steps":200}', 'duplicate_key', 'config.steps'],
    ],
  },
  {
    field: 'config.learning_rate',
    default: '0.0001',
    takes: ['0.000001', '1e-6', '0.01', '1e-2', '3e-4'],
    refuses: [
      ...NO_NUMBERS,
      ['0', 'too_small'],
      ['-0', 'too_small'],
      ['-0.001', 'too_small'],
      ['9.999999e-7', 'too_small'],
      ['1e-400', 'too_small'],
      ['0.0100000001', 'too_big'],
      ['1', 'too_big'],
    ],
  },
  whole('config.batch_size', 1, 8, 1),
  whole('config.steps', 100, 10_000, 1000),
  {
    field: 'config.resolution',
    default: '512',
    takes: ['256', '320', '512.0', '1024'],
    refuses: [
      ...NO_NUMBERS,
      ['192', 'too_small'],
      ['1088', 'too_big'],
      ['300', 'not_multiple_of'],
      ['511', 'not_multiple_of'],
      ['512.5', 'invalid_type'],
      ['[512,768]', 'invalid_type'],
    ],
  },
  whole('config.lora_rank', HYPERPARAMETER_RANGES.rank.min, HYPERPARAMETER_RANGES.rank.max, 16),
  whole('config.lora_alpha', HYPERPARAMETER_RANGES.alpha.min, HYPERPARAMETER_RANGES.alpha.max, 32),
  {
    field: 'trigger_words',
    default: '[]',
    takes: ['[]', '["zwx"]', '["zwx cat","猫"]'],
    refuses: [
      ['"abc"', 'invalid_type'],
      ['null', 'invalid_type'],
      ['{}', 'invalid_type'],
      ['[1]', 'invalid_type', 'trigger_words.0'],
      ['[null]', 'invalid_type', 'trigger_words.0'],
      ['["ok",""]', 'too_small', 'trigger_words.1'],
      ['["  "]', 'too_small', 'trigger_words.0'],
      ['["a\\tb"]', 'invalid_format', 'trigger_words.0'],
    ],
  },
];
