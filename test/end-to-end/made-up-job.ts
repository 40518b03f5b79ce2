/** Jobs in every state, made up in the API's own types: what their page shows needs no training to be looked at. */
import type { Page } from 'playwright-core';
import type { components } from '#/contract/api.gen.ts';
import type { Artifact } from '#/contract/artifacts.ts';
import type { MetricPoint } from '#/contract/job-reads.ts';
import type { TrainingJob } from '#/contract/jobs.ts';

export const JOB_ID = '5f2b8c1e-0d43-4a86-9f0e-6a1f2f9b7c11';
const DATASET_ID = '0a4e2d1b-6f1c-4c7a-8c55-3b1e9d2f7a10';
const MODEL_ID = '9d3c7b6a-1e2f-4b5c-8d7e-0f1a2b3c4d5e';
const ARTIFACT_ID = '7c9e6679-7425-40de-944b-e07fc1f90ae7';
const TOTAL_STEPS = 240;

const ago = (seconds: number) => new Date(Date.now() - seconds * 1000).toISOString();

export function madeUpJob(status: TrainingJob['status'], over: Partial<TrainingJob> = {}): TrainingJob {
  const step = { queued: 0, initializing: 0, running: 150, completed: TOTAL_STEPS, failed: 90, cancelled: 60 }[status];
  const is_over = status === 'completed' || status === 'failed' || status === 'cancelled';
  const waits = status === 'queued';
  return {
    id: JOB_ID,
    name: 'Support answers, second try',
    type: 'lora',
    status,
    current_stage: status === 'running' ? 'training' : status === 'initializing' ? 'starting' : null,
    progress: (step / TOTAL_STEPS) * 100,
    current_step: step,
    total_steps: TOTAL_STEPS,
    current_epoch: (step / TOTAL_STEPS) * 3,
    total_epochs: 3,
    current_metrics: metricsAt(step),
    preset_id: 'balanced',
    hyperparameters: { learning_rate: 5e-5, batch_size: 4, epochs: 3, rank: 16, alpha: 32, dropout: 0.1 },
    gpu_config: { type: 'CPU', count: 1 },
    config: { plan: { total_steps: TOTAL_STEPS } },
    priority: 0,
    dataset_id: DATASET_ID,
    dataset: { id: DATASET_ID, name: 'Support answers', file_name: 'answers.jsonl', total_training_pairs: 320 },
    base_model_id: MODEL_ID,
    base_model: { id: MODEL_ID, name: 'smollm-135m', params_b: 0.135 },
    artifact_id: status === 'completed' ? ARTIFACT_ID : null,
    estimated_total_cost: 1.23,
    hourly_rate: 0.15,
    current_cost: 0.02,
    final_cost: is_over ? 0.02 : null,
    forecast: null,
    measured: null,
    samples: 0,
    failure: null,
    retried_from: null,
    retry_count: 0,
    attempt: waits ? 0 : 1,
    executor: waits ? null : 'process',
    training_image: null,
    cancel_requested_at: null,
    pause_requested_at: null,
    held_at: null,
    contact_lost_at: null,
    queued_at: ago(700),
    started_at: waits ? null : ago(660),
    completed_at: is_over ? ago(30) : null,
    estimated_completion_at: status === 'running' ? ago(-400) : null,
    created_at: ago(700),
    updated_at: ago(1),
    ...over,
  };
}

/** The failure of a run that had too little memory, with the trainer's words. */
export const OUT_OF_MEMORY: TrainingJob['failure'] = {
  code: 'out_of_memory',
  message: 'The run needed more memory than the GPU has.',
  hint: 'Halve the batch size, lower the rank, or take shorter rows.',
  stack:
    'Traceback (most recent call last):\n  File "…/lora_trainer/loop.py", line 210, in step\ntorch.OutOfMemoryError: CUDA out of memory.',
};

/** A loss that falls with noise on it, evaluated every thirty steps. */
export function madeUpPoints(steps: number): MetricPoint[] {
  const began = Date.now() - 660_000;
  const point = (seq: number, step: number, rest: Partial<MetricPoint>): MetricPoint => ({
    attempt: 1,
    seq,
    step,
    epoch: (step / TOTAL_STEPS) * 3,
    timestamp: new Date(began + step * 2_600).toISOString(),
    loss: null,
    eval_loss: null,
    learning_rate: null,
    grad_norm: null,
    tokens_per_second: null,
    samples_per_second: null,
    gpu_memory_mb: null,
    peak_memory_mb: null,
    extra: null,
    ...rest,
  });
  const points: MetricPoint[] = [];
  for (let step = 1; step <= steps; step += 1) {
    const falling = 0.75 + 1.9 * Math.exp(-step / 55);
    const noise = 0.11 * Math.sin(step * 12.9898) * Math.cos(step * 4.1);
    points.push(point(points.length + 1, step, { loss: falling + noise }));
    if (step % 30 === 0) points.push(point(points.length + 1, step, { eval_loss: falling + 0.06 }));
  }
  return points;
}

/** What the job's row has of its curve. */
function metricsAt(step: number): TrainingJob['current_metrics'] {
  const points = madeUpPoints(step);
  const newest = (name: 'loss' | 'eval_loss') => points.findLast((point) => point[name] !== null)?.[name] ?? null;
  return step === 0
    ? {}
    : { loss: newest('loss'), eval_loss: newest('eval_loss'), learning_rate: 3.1e-5, tokens_per_second: 1834 };
}

/** A log with times, a warning, an error and a line that is too long for a narrow screen. */
export function madeUpLog(steps: number): string {
  const began = Date.now() - 660_000;
  const stamped = (second: number, text: string) => `${new Date(began + second * 1000).toISOString()} ${text}`;
  const lines = [
    stamped(1, 'INFO loading_model'),
    stamped(6, 'INFO lora_trainer on cpu, 1,843,200 of 136,358,208 parameters trained'),
    stamped(
      7,
      'WARNING rows_truncated: 3 rows are longer than 2,048 tokens; what lies behind that is not learned from in this run.',
    ),
    '/opt/lib/transformers/modeling_utils.py:3303: FutureWarning: `is_gradient_checkpointing` is deprecated.',
  ];
  for (let step = 10; step <= steps; step += 10)
    lines.push(
      stamped(8 + step * 2.6, `INFO step ${step}: loss ${(0.75 + 1.9 * Math.exp(-step / 55)).toFixed(4)}, learning_rate 3.1e-05`),
    );
  lines.push(stamped(600, 'ERROR out_of_memory: The run needed more memory than the GPU has.'));
  return `${lines.join('\n')}\n`;
}

export function madeUpArtifact(): Artifact {
  const file = (id: string, path: string, bytes: number) => ({ id, path, bytes, sha256: id.replaceAll('-', '').repeat(2) });
  return {
    id: ARTIFACT_ID,
    job_id: JOB_ID,
    job_name: 'Support answers, second try',
    name: 'Support answers, second try',
    kind: 'adapter',
    parent_model_id: null,
    files: [
      file('1b4e28ba-2fa1-41d2-883f-0016d3cca427', 'README.md', 1_203),
      file('2b4e28ba-2fa1-41d2-883f-0016d3cca427', 'adapter_config.json', 1_092),
      file('3b4e28ba-2fa1-41d2-883f-0016d3cca427', 'adapter_model.safetensors', 7_402_112),
      file('4b4e28ba-2fa1-41d2-883f-0016d3cca427', 'tokenizer.json', 2_104_551),
    ],
    storage_path: 'someone/something',
    sha256: 'a'.repeat(64),
    size: 9_508_958,
    base_model: { name: 'smollm-135m', hf_repo_id: null, revision: null },
    quality_metrics: {},
    training_summary: {},
    passport: { seed: 42, dataset: { sha256: 'd'.repeat(64) }, versions: { torch: '2.13.0', peft: '0.21.2' } },
    loading: {
      language: 'python',
      text: 'from peft import PeftModel\n\nBASE = "/path/to/smollm-135m"\nADAPTER = "support-answers-7c9e6679"\n',
    },
    created_at: ago(30),
  };
}

type JobEvent = components['schemas']['JobEvent'];

function history(job: TrainingJob): JobEvent[] {
  const event = (seq: number, type: string, to_status: JobEvent['to_status'], at: string): JobEvent => ({
    seq,
    type,
    to_status,
    from_status: null,
    attempt: Math.max(1, job.attempt),
    message: null,
    data: {},
    created_at: at,
  });
  return [
    event(1, 'status', 'queued', job.queued_at),
    ...(job.started_at === null ? [] : [event(2, 'status', 'running', job.started_at)]),
    ...(job.completed_at === null ? [] : [event(3, 'status', job.status, job.completed_at)]),
  ];
}

/** Answers everything that a page asks of the job, its live stream included, which stays open as a real one does. */
export async function answerFor(page: Page, job: TrainingJob): Promise<void> {
  const base = `**/api/jobs/${job.id}`;
  const data = (value: unknown) => ({ json: { success: true, data: value } });
  const events = [
    ['job', job],
    ['metrics', { points: madeUpPoints(job.current_step) }],
    ['log', { attempt: 1, offset: 0, text: job.attempt > 0 ? madeUpLog(job.current_step) : '' }],
  ] as const;
  const text = events.map(([name, value], at) => `id: ${at}\nevent: ${name}\ndata: ${JSON.stringify(value)}\n\n`).join('');
  await page.unrouteAll();
  await page.route(base, (route) => route.fulfill(data(job)));
  await page.route(`${base}/events**`, (route) => route.fulfill(data({ events: history(job), next_after: null })));
  await page.route(`${base}/artifacts`, (route) =>
    route.fulfill(data({ artifacts: job.status === 'completed' ? [madeUpArtifact()] : [] })),
  );
  await page.addInitScript(
    ([path, stream]) => {
      const real = globalThis.fetch;
      globalThis.fetch = (input, init) => {
        if (!String(input instanceof Request ? input.url : input).endsWith(path)) return real(input, init);
        const body = new ReadableStream({
          start: (controller) => {
            const tell = (words: string) => controller.enqueue(new TextEncoder().encode(words));
            tell(stream);
            // What comes later, for whoever has it told.
            Object.assign(globalThis, { tellJob: tell });
          },
        });
        return Promise.resolve(new Response(body, { headers: { 'content-type': 'text/event-stream' } }));
      };
    },
    [`/api/jobs/${job.id}/stream`, text] as const,
  );
}

/** Tells an open page of the job as it is now. */
export async function tellJob(page: Page, job: TrainingJob): Promise<void> {
  const words = `id: 9\nevent: job\ndata: ${JSON.stringify(job)}\n\n`;
  await page.evaluate((text) => (globalThis as unknown as { tellJob(words: string): void }).tellJob(text), words);
}
