import { METHODS } from 'node:http';
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import { DEVICE_KINDS, DEVICE_STATES } from '#/domain/devices.ts';
import { JOB_STATUSES } from '#/domain/statuses.ts';
import { TRANSFER_KINDS, TRANSFER_STATUSES } from '#/domain/transfer-state.ts';
import { DELIVERY_STATUSES } from '#/domain/webhooks.ts';
import type { Context } from '#/services/context.ts';
import { type Figures, figuresReader } from '#/services/figures/read-figures.ts';

/** One answered request. Its labels are ours: the declared path, never the one that was asked for. */
export interface ObservedRequest {
  method: string;
  /** The route's declared path; undefined where there is none. */
  template: string | undefined;
  status: number;
  /** From the request's head to the answer's: what a stream lasts is not in it. */
  seconds: number;
}

export interface Metrics {
  observe(request: ObservedRequest): void;
  /** All of it as Prometheus reads it. Throws `forbidden` and `database_unavailable`. */
  tell(ctx: Context): Promise<string>;
}

/** The text format of Prometheus, as its clients announce it. */
export const METRICS_TYPE = Registry.PROMETHEUS_CONTENT_TYPE;
const BUCKETS_S = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
const KNOWN_METHODS = new Set(METHODS);

/** The metrics of one web process: what it answered itself, and the figures of the installation, which every process tells alike. */
export function makeMetrics(): Metrics {
  const registry = new Registry();
  const readFigures = figuresReader();
  const registers = [registry];
  const requests = new Counter({
    name: 'lowrank_http_requests_total',
    help: 'Requests that this process answered, by declared path and status',
    labelNames: ['method', 'route', 'status'],
    registers,
  });
  const durations = new Histogram({
    name: 'lowrank_http_request_duration_seconds',
    help: 'From the head of a request to the head of its answer, in this process',
    labelNames: ['method', 'route'],
    buckets: BUCKETS_S,
    registers,
  });
  const showFigures = figureGauges(registry);
  let told = false;
  return {
    observe({ method, template = 'none', status, seconds }) {
      const labels = { method: KNOWN_METHODS.has(method) ? method : 'other', route: template };
      requests.inc({ ...labels, status });
      durations.observe(labels, seconds);
    },
    async tell(ctx) {
      const figures = await readFigures(ctx);
      // Of the process itself only where somebody reads it: its event loop is watched from then on.
      if (!told) collectDefaultMetrics({ register: registry });
      told = true;
      showFigures(figures);
      return registry.metrics();
    },
  };
}

/** The gauges of the installation's figures. What has no row is 0, so that a graph has no holes. */
function figureGauges(registry: Registry): (figures: Figures) => void {
  const gauge = <L extends string>(name: string, help: string, labelNames: readonly L[]) =>
    new Gauge({ name: `lowrank_${name}`, help, labelNames, registers: [registry] });
  const jobs = gauge('jobs', 'Jobs, deleted ones too, by status', ['status']);
  const active = gauge('active_jobs', 'Jobs that hold a slot: initializing or running', []);
  const waiting = gauge('waiting_jobs', 'Queued jobs: in_line is the depth of the queue', ['reason']);
  const devices = gauge('devices', 'GPUs, and the processor where there is none, by state', ['kind', 'state']);
  const leases = gauge('device_leases', 'Devices that are given to a run', ['kind']);
  const heartbeat = gauge('worker_heartbeat_age_seconds', 'Since a worker was last heard; one that ended in order is left out', [
    'worker',
  ]);
  const storage = gauge('storage_bytes', 'What is stored of datasets, artifacts and fetched models', ['what']);
  const deliveries = gauge('webhook_deliveries', 'Deliveries of webhooks that are logged, by outcome', ['status']);
  const transfers = gauge('transfers', 'Transfers from the Hub, by outcome', ['kind', 'status']);
  return (figures) => {
    for (const status of JOB_STATUSES) jobs.set({ status }, figures.jobs[status] ?? 0);
    active.set((figures.jobs.initializing ?? 0) + (figures.jobs.running ?? 0));
    const { in_line, fetching_model } = figures.queue;
    waiting.set({ reason: 'in_line' }, in_line);
    waiting.set({ reason: 'fetching_model' }, fetching_model);
    waiting.set({ reason: 'held' }, Math.max(0, (figures.jobs.queued ?? 0) - in_line - fetching_model));
    for (const kind of DEVICE_KINDS) {
      const of_kind = figures.devices.filter((device) => device.kind === kind);
      for (const state of DEVICE_STATES)
        devices.set({ kind, state }, of_kind.find((device) => device.state === state)?.count ?? 0);
      leases.set({ kind }, figures.leases.find((lease) => lease.kind === kind)?.count ?? 0);
    }
    // A worker that is gone has no age any more.
    heartbeat.reset();
    for (const { id, silent_s } of figures.workers) heartbeat.set({ worker: id }, silent_s);
    for (const [what, bytes] of Object.entries(figures.storage)) storage.set({ what }, bytes);
    for (const status of DELIVERY_STATUSES) deliveries.set({ status }, figures.deliveries[status] ?? 0);
    for (const kind of TRANSFER_KINDS)
      for (const status of TRANSFER_STATUSES)
        transfers.set(
          { kind, status },
          figures.transfers.find((transfer) => transfer.kind === kind && transfer.status === status)?.count ?? 0,
        );
  };
}
