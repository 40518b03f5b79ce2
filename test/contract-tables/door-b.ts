/** Door B's estimate as data: each field's rule by what it takes and what it refuses, and the rates that its clients know. */
import { HYPERPARAMETER_RANGES } from '#/domain/hyperparameters.ts';
import { type FieldRow, NO_NUMBERS, whole } from './door-a.ts';

/** GPU, US dollars an hour, tokens a second. */
export const AGREED_RATES: [type: string, hourly_rate: number, tokens_per_second: number][] = [
  ['A100-80GB', 3.5, 1800],
  ['A100-40GB', 2.8, 1500],
  ['H100', 4.2, 2200],
  ['V100-32GB', 2.1, 1200],
];

const { alpha } = HYPERPARAMETER_RANGES;

/** `UUID` stands for the caller's dataset, `MODEL` for a registered base model. Only alpha, dropout and the model may be absent. */
export const ESTIMATE_FIELDS: FieldRow[] = [
  {
    field: 'dataset_id',
    default: null,
    takes: ['"UUID"'],
    refuses: [
      ['"123"', 'invalid_format'],
      ['7', 'invalid_type'],
      ['null', 'invalid_type'],
      ['["UUID"]', 'invalid_type'],
    ],
  },
  {
    field: 'gpu_config',
    default: null,
    takes: ['{"type":"H100","count":1}', '{"type":"a100","count":8}'],
    refuses: [
      ['null', 'invalid_type'],
      ['[]', 'invalid_type'],
      ['"H100"', 'invalid_type'],
      ['{"type":"H100"}', 'required', 'gpu_config.count'],
      ['{"count":1}', 'required', 'gpu_config.type'],
      ['{"type":"","count":1}', 'too_small', 'gpu_config.type'],
      ['{"type":7,"count":1}', 'invalid_type', 'gpu_config.type'],
      ['{"type":"Voodoo2","count":1}', 'unknown_gpu', 'gpu_config.type'],
      ['{"type":"__proto__","count":1}', 'unknown_gpu', 'gpu_config.type'],
      ['{"type":"H100","count":0}', 'too_small', 'gpu_config.count'],
      ['{"type":"H100","count":9}', 'too_big', 'gpu_config.count'],
      ['{"type":"H100","count":1.5}', 'invalid_type', 'gpu_config.count'],
      ['{"type":"H100","count":"1"}', 'invalid_type', 'gpu_config.count'],
      ['{"type":"H100","count":1,"price":0}', 'unknown_field', 'gpu_config.price'],
    ],
  },
  {
    field: 'hyperparameters.learning_rate',
    default: null,
    takes: ['0.000001', '1e-2', '3e-4'],
    refuses: [...NO_NUMBERS, ['0', 'too_small'], ['-0.001', 'too_small'], ['9.9e-7', 'too_small'], ['0.0100000001', 'too_big']],
  },
  whole('hyperparameters.batch_size', 1, 16, null),
  whole('hyperparameters.epochs', 1, 10, null),
  whole('hyperparameters.rank', 4, 64, null),
  whole('hyperparameters.alpha', alpha.min, alpha.max, undefined),
  {
    field: 'hyperparameters.dropout',
    default: undefined,
    takes: ['0', '0.5', '0.25'],
    refuses: [...NO_NUMBERS, ['-0.01', 'too_small'], ['0.51', 'too_big'], ['1', 'too_big']],
  },
  {
    field: 'base_model_id',
    default: undefined,
    takes: ['"MODEL"'],
    refuses: [
      ['"acme/tiny"', 'invalid_format'],
      ['7', 'invalid_type'],
      ['null', 'invalid_type'],
    ],
  },
];
