import { join } from 'node:path';
import { beforeAll, describe, expect, inject, test } from 'vitest';
import { readHello } from '#/domain/trainer-hello.ts';
import { dockerDaemonAt, EMPTY_IMAGE, STAND_IN_IMAGE } from '../../../../test/docker-daemon.ts';
import { askHello } from './ask-hello.ts';
import { containersOf } from './containers.ts';
import { dockerEngine, EngineAway } from './engine.ts';

const docker_folder = inject('docker_folder');

describe.runIf(docker_folder !== null)('the check of an image', () => {
  const { folder } = dockerDaemonAt(docker_folder ?? '');
  const engine = dockerEngine({ kind: 'socket', path: join(folder, 'docker.sock') });
  const containers = containersOf(engine);

  /** An image whose train_lora.py is this program. */
  async function addImage(name: string, program: string): Promise<string> {
    const write = `open('/workspace/train_lora.py', 'w').write(${JSON.stringify(program)})`;
    const making = `making-${name}`;
    await containers.create(making, { Image: STAND_IN_IMAGE, Entrypoint: [''], Cmd: ['python', '-c', write] });
    await containers.start(making);
    await engine.ask('POST', `/containers/${making}/wait`);
    await engine.ask('POST', '/commit', { query: { container: making, repo: `lowrank-test/${name}`, tag: '1' }, body: {} });
    await containers.removeAnyway(making);
    return `lowrank-test/${name}:1`;
  }
  const ask = (reference: string) => askHello(engine, reference, 'worker-1');
  const left = async () => (await containers.list({ 'dev.lowrank.image-check': 'worker-1' })).length;

  let speaking: string;
  beforeAll(async () => {
    // What it finds out about where it runs, told as its name.
    speaking = await addImage(
      'speaking',
      `
import json, os, socket
def can(work):
    try:
        work()
        return True
    except OSError:
        return False
found = {
    "uid": os.getuid(),
    "writes": can(lambda: open("/workspace/x", "w")),
    "keeps": can(lambda: open("/tmp/x", "w")),
    "interfaces": [name for _, name in socket.if_nameindex()],
    "rights": [line.split()[1] for line in open("/proc/self/status") if line.startswith(("CapEff", "NoNewPrivs"))],
}
print("== a greeting ==")
trains = [{"model_kind": "causal-lm", "methods": ["lora"], "strategies": ["none"], "devices_max": 1}]
print(json.dumps({"protocols": [1], "trainer": json.dumps(found), "trains": trains}))
`,
    );
  });

  test('reads what its trainer says, in a container that may do nothing else, and leaves none behind', async () => {
    const asked = await ask(speaking);
    expect(asked).toMatchObject({ ok: true, digest: expect.stringMatching(/^sha256:[0-9a-f]{64}$/) });
    if (!asked.ok) throw new Error(asked.reason.message);
    expect(asked.digest).toBe(await containers.imageId(speaking));
    expect(asked.hello.trains.map(({ model_kind }) => model_kind)).toEqual(['causal-lm']);
    expect(JSON.parse(asked.hello.trainer)).toEqual({
      uid: 65534,
      writes: false,
      keeps: true,
      interfaces: ['lo'],
      rights: ['0000000000000000', '1'],
    });
    expect(await left()).toBe(0);
  });

  test('takes the stand-in of the faults at its word', async () => {
    const reference = await addImage(
      'stand-in-hello',
      'import runpy\nrunpy.run_path("/workspace/fake_trainer.py", run_name="__main__")',
    );
    const asked = await ask(reference);
    expect(asked).toMatchObject({ ok: true, hello: { trainer: 'lowrank-fake 1' } });
    expect(asked.ok && readHello(JSON.stringify(asked.hello)).ok).toBe(true);
  });

  test('says why another is no good, in its own last words', async () => {
    const program = 'import sys\nsys.exit("this trainer has no --hello\\x07")';
    expect(await ask(await addImage('mute', program))).toEqual({
      ok: false,
      reason: { code: 'silent', message: 'its trainer answered --hello with exit code 1: this trainer has no --hello' },
    });
    expect(await ask(await addImage('babbling', 'print("hello!")'))).toEqual({
      ok: false,
      reason: { code: 'not_the_protocol', message: 'the last line that it printed is not JSON' },
    });
    const loud = await ask(await addImage('loud', 'print("x" * 5_000_000)'));
    expect(loud).toMatchObject({ ok: false, reason: { code: 'not_the_protocol' } });
    expect(await ask(EMPTY_IMAGE)).toMatchObject({
      ok: false,
      reason: { code: 'silent', message: expect.stringMatching(/exit code 127: .*exec python failed/) },
    });
    expect(await ask('lowrank-test/nowhere:1')).toMatchObject({
      ok: false,
      reason: { code: 'image_not_found', message: expect.stringContaining('docker pull lowrank-test/nowhere:1') },
    });
    expect(await left()).toBe(0);
  });

  test('removes what a worker that ended left of its own, and asks an engine that is away nothing', async () => {
    const labels = { 'dev.lowrank.image-check': 'worker-1' };
    await containers.create('left-behind', { Image: speaking, Entrypoint: [''], Cmd: ['python'], Labels: labels });
    expect(await left()).toBe(1);
    expect((await ask(speaking)).ok).toBe(true);
    expect(await left()).toBe(0);
    await expect(askHello(dockerEngine({ kind: 'socket', path: '/nonexistent' }), speaking, 'worker-1')).rejects.toThrow(
      EngineAway,
    );
  });
});
