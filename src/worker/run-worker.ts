/** A worker from its lock to its orderly end. It needs only the environment, and leaves trainings running. */
import { mkdir, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { scaledPromiseTimes } from '#/domain/constants.ts';
import { env } from '#/env.ts';
import { connectWorker } from '#/services/machine/connect-worker.ts';
import { noteWorkerStopped, registerWorker } from '#/services/machine/register-worker.ts';
import { realModelFolders } from '#/services/models/register-local-model.ts';
import { attemptFolder, runsFolder } from '#/storage/run-folder.ts';
import { detectDevices } from './detect-devices.ts';
import { dockerExecutor } from './executors/docker/docker-executor.ts';
import { dockerEngine } from './executors/docker/engine.ts';
import { engineAddress } from './executors/docker/engine-address.ts';
import { processExecutor } from './executors/process-executor.ts';
import { wrapperFailpoints } from './failpoint.ts';
import { contactFile, hostId, lockHost, productVersion } from './host.ts';
import { hostFolders } from './host-folders.ts';
import { log } from './log.ts';
import { isAway } from './patience.ts';
import { bootId } from './process-identity.ts';
import { runScheduler } from './scheduler.ts';
import type { WorkerParts } from './worker-parts.ts';

/** Exit code when another worker has this data directory. */
const ALREADY_RUNNING = 3;
const MB = 1024 ** 2;
const LOG_BYTES_MAX = 64 * MB;
const LOG_TAIL_BYTES = MB;

/** Runs a worker on this host until `stopping` is aborted. Returns the process's exit code. */
export async function runWorker(stopping: AbortSignal): Promise<number> {
  const { LOWRANK_SCHEDULER_URL: scheduler, LOWRANK_DELIVERY_URL: delivery } = env;
  if (scheduler === undefined || delivery === undefined) {
    log.fatal(
      'LOWRANK_SCHEDULER_URL and LOWRANK_DELIVERY_URL are not both set: start the worker by `npm start`, or name the logins of the database there',
    );
    return 2;
  }
  await mkdir(runsFolder(), { recursive: true, mode: 0o700 });
  const lock = await lockHost(env.data_dir);
  if (lock === null) {
    log.fatal(`Another worker already runs on the data directory ${env.data_dir}: use that one, or stop it first`);
    return ALREADY_RUNNING;
  }
  const times = scaledPromiseTimes(env.LOWRANK_TIME_DIVISOR);
  const contact = contactFile(join(runsFolder(), 'contact.json'));
  await contact.beat();
  const database = connectWorker({ scheduler, delivery });
  const worker_id = await hostId(env.data_dir);
  const { devices, looks, no_gpu } = await detectDevices();
  const processes = processExecutor({
    folderOf: attemptFolder,
    contact_path: contact.path,
    python: env.python,
    trainer: env.LOWRANK_TRAINER ?? join(env.repo, 'trainer/train_lora.py'),
    cwd: join(env.repo, 'trainer'),
    search_path: env.PATH,
    heartbeat_ms: times.heartbeat_ms,
    grace_ms: times.grace_ms,
    self_fence_ms: times.self_fence_ms,
    log_bytes_max: LOG_BYTES_MAX,
    log_tail_bytes: LOG_TAIL_BYTES,
    host_folders: await hostFolders(),
    failpoints: wrapperFailpoints,
  });
  // Also where runs are started as processes: those of before may still live in containers.
  const address = engineAddress(env.DOCKER_HOST, env.DOCKER_CERT_PATH);
  const engine = typeof address === 'string' ? null : dockerEngine(address);
  const containers = dockerExecutor({
    engine: engine ?? { refused: String(address) },
    image: env.TRAINING_IMAGE,
    worker_id,
    installation: env.PUBLIC_URL ?? env.host_name,
    folderOf: attemptFolder,
    private_folder: await realpath(env.data_dir),
    model_folders: await realModelFolders(),
    contact_path: contact.path,
    grace_ms: times.grace_ms,
    self_fence_ms: times.self_fence_ms,
    has_gpus: devices.some(({ kind }) => kind === 'gpu'),
    facts_ms: times.heartbeat_ms,
    log_bytes_max: LOG_BYTES_MAX,
    log_tail_bytes: LOG_TAIL_BYTES,
  });
  const parts: WorkerParts = {
    worker_id,
    times,
    executors: { process: processes, docker: containers },
    launches_by: env.LOWRANK_EXECUTOR,
    engine,
    log,
    compute_capabilities: new Map(devices.map((device) => [device.uuid, device.compute_capability])),
    stopping,
  };
  const facts = { host: env.host_name, no_gpu, node: process.version };
  const me = { id: worker_id, boot_id: bootId(), pid: process.pid, version: productVersion(env.repo), facts };
  const inventory = devices.map(({ compute_capability: _, ...device }) => device);
  while (!stopping.aborted && !(await registered(() => registerWorker(me, inventory, looks)))) {
    if (env.DATABASE_URL === undefined) await contact.beat();
    await new Promise((resolve) => setTimeout(resolve, times.sweep_ms / 5));
  }
  log.info({ worker_id, devices: inventory, no_gpu }, 'the worker watches');
  const running = runScheduler(parts, contact, devices);
  console.log(JSON.stringify({ ready: true, worker_id, devices: inventory }));
  await running;
  await contact.stopped();
  await noteWorkerStopped(worker_id).catch((error) => log.warn({ err: error }, 'the database could not be told of the stop'));
  await database.close();
  lock.release();
  log.info('the worker has stopped; its trainings go on');
  return 0;
}

/** False while the database is away. */
async function registered(work: () => Promise<void>): Promise<boolean> {
  try {
    await work();
    return true;
  } catch (error) {
    if (!isAway(error)) throw error;
    log.warn('the database is away; waiting for it');
    return false;
  }
}
