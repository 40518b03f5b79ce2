/** One event of a job as a title and a line of detail. */
import { formatCount, formatFigure } from '#/components/units.ts';
import type { components } from '#/contract/api.gen.ts';
import { formatBytes } from '#/domain/bytes.ts';
import { STAGE_WORDS, STATUS_WORDS } from './job-words.ts';

type JobEvent = components['schemas']['JobEvent'];

const TITLES: Record<string, string> = {
  hello: 'The trainer is ready',
  probe: 'First steps',
  checkpoint: 'Checkpoint',
  artifact: 'File written',
  warning: 'Warning',
  error: 'The trainer failed',
  done: 'Training done',
  cancel_requested: 'Cancel asked for',
};

export function eventWords(event: JobEvent): { title: string; detail: string | null } {
  const { type, to_status, message, data } = event;
  if (to_status !== null) return { title: STATUS_WORDS[to_status as keyof typeof STATUS_WORDS] ?? to_status, detail: message };
  if (type === 'stage')
    return { title: STAGE_WORDS[text(data.stage) ?? ''] ?? text(data.stage) ?? 'Stage', detail: detailOf(event) };
  const words = type.replaceAll(/[._]/g, ' ');
  if (type === 'error' && data.code === 'interrupted') return { title: 'The trainer stopped', detail: message };
  const title = TITLES[type] ?? words.charAt(0).toUpperCase() + words.slice(1);
  return { title, detail: detailOf(event) ?? message };
}

function detailOf({ type, data }: JobEvent): string | null {
  if (type === 'stage') {
    const [done, total] = [number(data.done), number(data.total)];
    return done === null || total === null ? null : `${formatCount(done)} of ${formatCount(total)}`;
  }
  if (type === 'hello') {
    const parameters = both(number(data.trainable_parameters), number(data.total_parameters));
    const device = text(data.device) === 'cuda' ? 'GPU' : 'CPU';
    return [text(data.trainer), `on ${device}`, parameters].filter((part) => part !== null).join(' · ');
  }
  if (type === 'checkpoint') {
    const step = number(data.step);
    const bytes = number(data.bytes);
    return step === null ? null : `step ${formatCount(step)}${bytes === null ? '' : `, ${formatBytes(bytes)}`}`;
  }
  if (type === 'done' && typeof data.summary === 'object' && data.summary !== null) {
    const summary = data.summary as Record<string, unknown>;
    const [loss, evaluated] = [number(summary.final_loss), number(summary.eval_loss)];
    const parts = [
      loss === null ? null : `loss ${formatFigure(loss)}`,
      evaluated === null ? null : `evaluation loss ${formatFigure(evaluated)}`,
    ];
    return parts.filter((part) => part !== null).join(', ') || null;
  }
  return null;
}

const text = (value: unknown): string | null => (typeof value === 'string' ? value : null);
const number = (value: unknown): number | null => (typeof value === 'number' ? value : null);

function both(trained: number | null, total: number | null): string | null {
  return trained === null || total === null ? null : `${formatCount(trained)} of ${formatCount(total)} parameters trained`;
}
