// The CPU image, really built on a bare Debian without any network, and a real training in it.
import { execFileSync, type StdioOptions } from 'node:child_process';
import {
  chownSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { TrainerEvent } from '#/domain/trainer-events.ts';
import { readHello } from '#/domain/trainer-hello.ts';
import { lockedRun } from '../../scripts/image/variants.ts';
import { dockerDaemonAt } from '../docker-daemon.ts';
import { buildImage, dockerVariables, PLAIN_IMAGE } from './built-image.ts';

const ROOT = resolve(import.meta.dirname, '../..');
const ACCOUNT = 10001;
const docker_folder = inject('docker_folder');

describe.runIf(docker_folder !== null)('the training image', () => {
  const { host } = dockerDaemonAt(docker_folder ?? '');
  let folder: string;
  const docker = (...args: string[]) => {
    const stdio: StdioOptions = ['ignore', 'pipe', 'pipe'];
    return execFileSync('docker', args, { cwd: ROOT, env: dockerVariables(host), encoding: 'utf8', maxBuffer: 64e6, stdio });
  };
  const inspect = () => JSON.parse(docker('image', 'inspect', PLAIN_IMAGE))[0];

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'lowrank-image-run-'));
    await buildImage(host, PLAIN_IMAGE);
  }, 1_200_000);
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test('says what it is, belongs to an account without rights, and has neither wheels nor tools of the tests in it', () => {
    const { Config } = inspect();
    expect(Config).toMatchObject({ User: `${ACCOUNT}:${ACCOUNT}`, WorkingDir: '/workspace', Entrypoint: null });
    expect(Config.Labels).toMatchObject({
      'dev.lowrank.protocol': '1',
      'org.opencontainers.image.version': JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')).version,
      'org.opencontainers.image.revision': expect.stringMatching(/^[0-9a-f]{40}(-changed)?$|^unknown$/),
    });
    const found = docker(
      ...lockedRun(PLAIN_IMAGE, ['sh', '-c', 'ls / /workspace; find / -xdev -name "torch*.whl" 2>/dev/null; id -u; id -g']),
    );
    const words = found.split(/\s+/);
    expect(words).toEqual(expect.arrayContaining(['train_lora.py', 'lora_trainer', 'schema', String(ACCOUNT)]));
    for (const word of ['wheels', 'requirements', 'tests', 'fake_trainer.py']) expect(words).not.toContain(word);
    expect(found).not.toContain('.whl');
  });

  test('says hello as its source does', () => {
    const said = readHello(docker(...lockedRun(PLAIN_IMAGE, ['python', 'train_lora.py', '--hello'])));
    const sample = JSON.parse(readFileSync(join(ROOT, 'trainer/schema/samples/hello.json'), 'utf8'));
    expect(said).toEqual({ ok: true, hello: sample });
  });

  test('trains, without network, rights or a root to write to', () => {
    const at = (name: string) => join(folder, name);
    const outputs = at('outputs');
    mkdirSync(outputs);
    chownSync(outputs, ACCOUNT, ACCOUNT);
    copyFileSync(join(ROOT, 'demo/orders.jsonl'), at('orders.jsonl'));
    const sample = JSON.parse(readFileSync(join(ROOT, 'trainer/schema/samples/config.json'), 'utf8'));
    const config = {
      ...sample,
      dataset_path: '/workspace/datasets/orders.jsonl',
      dataset: { ...sample.dataset, mapping: {}, splits: { eval_rows: 2, seed: 7 } },
      base_model: { ...sample.base_model, path: '/workspace/models/demo' },
      training_params: { ...sample.training_params, epochs: null, max_steps: 3, batch_size: 2 },
      eval: { interval_steps: 0, at_start: false, rows_max: 2 },
      sample_prompts: [],
      job_folder: '/workspace',
      output_path: '/workspace/outputs',
    };
    writeFileSync(at('config.json'), JSON.stringify(config));
    const bind = (from: string, to: string) => ['--volume', `${from}:/workspace/${to}`];
    const mounts = [
      ...bind(at('config.json'), 'config.json:ro'),
      ...bind(at('orders.jsonl'), 'datasets/orders.jsonl:ro'),
      ...bind(join(ROOT, 'demo/model'), 'models/demo:ro'),
      ...bind(outputs, 'outputs'),
    ];
    docker(...lockedRun(PLAIN_IMAGE, ['python', 'train_lora.py', '--config', '/workspace/config.json'], mounts));
    const lines = readFileSync(join(outputs, 'events.jsonl'), 'utf8').trim().split('\n');
    const events = lines.map((line) => TrainerEvent.parse(JSON.parse(line)));
    expect(events.filter(({ type }) => type === 'metric').length).toBeGreaterThanOrEqual(3);
    expect(events.at(-1)).toMatchObject({ type: 'done', summary: { steps: 3 } });
    const adapter = join(outputs, 'adapter/adapter_model.safetensors');
    expect([existsSync(adapter), statSync(adapter).uid]).toEqual([true, ACCOUNT]);

    const write = ['python', '-c', "open('/workspace/train_lora.py', 'a')"];
    expect(() => docker(...lockedRun(PLAIN_IMAGE, write))).toThrow(/Read-only file system|Permission denied/);
    const speak = ['python', '-c', "import socket; socket.create_connection(('10.0.0.1', 80), 2)"];
    expect(() => docker(...lockedRun(PLAIN_IMAGE, speak))).toThrow(/Network is unreachable/);
  });
});
