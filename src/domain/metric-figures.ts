/** The figures of a training's curve: what a trainer measures, a point stores and an answer tells. */
export const METRIC_FIGURES = [
  'loss',
  'eval_loss',
  'learning_rate',
  'grad_norm',
  'tokens_per_second',
  'samples_per_second',
  'gpu_memory_mb',
  'peak_memory_mb',
] as const;
export type MetricFigure = (typeof METRIC_FIGURES)[number];

/** Fewest points that a thinned curve is cut to: lowest and highest of every figure, gaps, evaluations and both ends. */
export const CURVE_POINTS_MIN = 50;
export const CURVE_POINTS_MAX = 20_000;
