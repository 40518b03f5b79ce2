// Each thing that can be wrong is told apart from the others and has its cure.
import { describe, expect, it } from 'vitest';
import type { DatabaseFacts } from '#/db/database-facts.ts';
import { GB } from '#/domain/bytes.ts';
import { fileSystemOf, judgeDisk, judgeFolder } from './data-folder.ts';
import { judgeDatabase, judgeRefused, judgeUnreachable } from './database.ts';
import { judgeDocker, judgeEngine } from './docker.ts';
import type { Finding } from './finding.ts';
import { type GpuFacts, judgeGpus, parseSmi } from './gpu.ts';
import { judgeNode, judgePlatform, judgePythons } from './machine.ts';
import { judgeSecretFiles } from './secret-files.ts';
import { judgePort, judgeStudio } from './studio.ts';
import { judgeEnvironment, judgePackages, judgePrograms, readPins } from './trainer.ts';
import { judgeWorkers } from './worker.ts';

/** What matters of a finding: its level, what was found and the cure. */
function cured(finding: Finding | undefined): [string, string, string] {
  if (finding === undefined) return ['none', '', ''];
  return [finding.level, finding.found, finding.level === 'ok' ? '' : finding.cure];
}

function expectFinding(
  finding: Finding | null | undefined,
  level: Finding['level'],
  found: string | RegExp,
  cure: string | RegExp = '',
): void {
  const [is, says, heals] = cured(finding ?? undefined);
  expect(is).toBe(level);
  expect(says).toMatch(found);
  expect(heals).toMatch(cure);
}

describe('the machine', () => {
  const debian = { platform: 'linux', arch: 'x64', node: '24.21.0', glibc: '2.36' };

  it('is told apart: glibc, musl, old glibc, macOS, Windows, another processor', () => {
    expectFinding(judgePlatform(debian), 'ok', 'Linux x64, glibc 2.36');
    expectFinding(judgePlatform({ ...debian, arch: 'arm64' }), 'ok', 'arm64');
    expectFinding(judgePlatform({ ...debian, glibc: null }), 'problem', 'no glibc', 'Debian 12');
    expectFinding(judgePlatform({ ...debian, glibc: '2.17' }), 'problem', 'glibc 2.17', 'Debian 12');
    expectFinding(judgePlatform({ ...debian, arch: 'riscv64' }), 'problem', 'riscv64', 'x64, arm64');
    expectFinding(judgePlatform({ ...debian, platform: 'win32' }), 'problem', 'win32', 'WSL 2');
    expectFinding(judgePlatform({ ...debian, platform: 'darwin', glibc: null }), 'warning', 'macOS', 'on Linux');
    expectFinding(judgePlatform({ ...debian, platform: 'darwin', glibc: null, node: '22.1.0' }), 'problem', 'Node 22', 'Node 24');
  });

  it('runs Node 24', () => {
    expectFinding(judgeNode('24.21.0'), 'ok', '24.21.0');
    expectFinding(judgeNode('20.20.2'), 'problem', '20.20.2 is too old', 'npm run lowrank -- doctor');
  });

  it('has a Python with venv, which matters less once the environment stands', () => {
    const python = (version: string, missing: string[] = []) => ({ version, missing, executable: '/usr/bin/python3' });
    expectFinding(judgePythons([python('3.11.2')], true, false), 'ok', '3.11.2 with venv');
    expectFinding(
      judgePythons([python('3.11.2', ['ensurepip'])], true, false),
      'problem',
      'lacks ensurepip',
      'apt-get install python3-venv',
    );
    expectFinding(
      judgePythons([python('3.11.2', ['venv'])], true, true),
      'warning',
      'lacks venv',
      'apt-get install python3-venv',
    );
    expectFinding(judgePythons([python('3.9.2')], true, false), 'problem', '3.9.2 is too old', 'apt-get install python3');
    expectFinding(judgePythons([], false, false), 'problem', 'no python3', 'Install Python');
  });
});

describe('the trainer', () => {
  const ours = { python: '/repo/trainer/.venv/bin/python', ours: true, exists: true, unfinished: false };
  const pins = readPins('# a comment\ntorch==2.13.0\npeft==0.21.2\nhuggingface_hub==2.4.0 # why\n');
  const facts = {
    python: '3.11.7',
    versions: { torch: '2.13.0+cpu', peft: '0.21.2', huggingface_hub: '2.4.0' },
    broken: {},
    cuda: null,
  };

  it('has an environment that was made and finished', () => {
    expect(judgeEnvironment(ours)).toBeNull();
    expectFinding(judgeEnvironment({ ...ours, exists: false }), 'problem', 'has not been made', 'npm run setup');
    expectFinding(judgeEnvironment({ ...ours, unfinished: true }), 'problem', 'half made', 'npm run setup');
    expectFinding(judgeEnvironment({ ...ours, ours: false, exists: false }), 'problem', 'LOWRANK_PYTHON', 'unset LOWRANK_PYTHON');
  });

  it('has exactly the pinned packages, whatever the build', () => {
    expect([...pins.keys()]).toEqual(['torch', 'peft', 'huggingface_hub']);
    expectFinding(judgePackages(facts, pins, ours), 'ok', 'torch 2.13.0+cpu');
    const other = { ...facts, versions: { ...facts.versions, torch: '2.12.0' } };
    expectFinding(
      judgePackages(other, pins, ours),
      'problem',
      'torch is 2.12.0, not 2.13.0',
      'rm -rf trainer/.venv && npm run setup',
    );
    const gone = { ...facts, versions: { torch: '2.13.0' } };
    expectFinding(judgePackages(gone, pins, ours), 'problem', 'peft is missing, huggingface_hub is missing', 'npm run setup');
    const foreign = { ...ours, ours: false, python: "/home/a b/py'thon" };
    expectFinding(
      judgePackages(gone, pins, foreign),
      'problem',
      'peft is missing',
      `'/home/a b/py'\\''thon' -m pip install -r trainer/requirements.txt`,
    );
  });

  it('loads them, on a Python that is new enough', () => {
    const broken = { ...facts, broken: { torch: 'OSError: libgomp.so.1: cannot open shared object file' } };
    expectFinding(judgePackages(broken, pins, ours), 'problem', 'torch does not load: OSError: libgomp', 'npm run setup');
    expectFinding(judgePackages({ ...facts, python: '3.9.2' }, pins, ours), 'problem', '3.9.2 is too old', 'npm run setup');
    expectFinding(judgePackages(null, pins, ours), 'problem', 'does not answer', 'npm run setup');
  });

  it('has programs that answer', () => {
    const fine = { name: 'inspect', code: 0, stderr: '' };
    expectFinding(judgePrograms([fine]), 'ok', 'inspect answer');
    const failing = { name: 'train_lora.py', code: 1, stderr: 'ModuleNotFoundError: no module' };
    expectFinding(
      judgePrograms([fine, failing]),
      'problem',
      'train_lora.py fails (exit code 1): ModuleNotFoundError',
      'git checkout -- trainer',
    );
    expectFinding(judgePrograms([{ ...failing, code: null }]), 'problem', 'no answer in time', 'git checkout');
  });
});

describe('Docker', () => {
  const says = (more: Partial<Parameters<typeof judgeDocker>[0]>) =>
    judgeDocker({ code: 1, stdout: '', stderr: '', missing: false, ...more });

  it('is told apart, and is nothing to mend while no training runs in it: none, running, not running, not allowed, stuck', () => {
    expectFinding(says({ missing: true, code: null }), 'ok', 'none');
    expectFinding(says({ code: 0, stdout: '27.5.1\n' }), 'ok', 'Docker 27.5.1');
    const down = 'Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?';
    expectFinding(says({ stderr: down }), 'ok', /does not run.*which need none/);
    expectFinding(says({ stderr: 'permission denied while trying to connect' }), 'ok', /may not speak.*which need none/);
    expectFinding(says({ code: null }), 'ok', /no answer within 10 s.*which need none/);
  });

  it('is to be mended where trainings run in its containers: not running, not allowed, without their image', () => {
    const answer = { code: 0, stdout: '27.5.1\n', stderr: '', missing: false };
    const judge = (version: Partial<typeof answer>, image: Partial<typeof answer> = {}) =>
      judgeEngine({ ...answer, ...version }, { ...answer, ...image }, 'training-image');
    expectFinding(judge({}), 'ok', 'Docker 27.5.1, with the image training-image');
    expectFinding(judge({}, { code: 1 }), 'problem', 'has no image training-image', /npm run image.*TRAINING_IMAGE/);
    const down = { code: 1, stdout: '', stderr: 'Cannot connect to the Docker daemon at unix:///x.sock. Is it running?' };
    expectFinding(judge(down), 'problem', /does not answer .Cannot connect/, /systemctl start docker.*DOCKER_HOST/);
    expectFinding(judge({ ...down, stderr: 'permission denied while' }), 'problem', 'may not speak', 'the group docker');
    expectFinding(judge({ missing: true }), 'ok', 'the worker tells');
  });
});

describe('the GPU', () => {
  const card = { name: 'NVIDIA RTX 4090', memory_mb: 24_564, driver: '570.86.15' };
  const none: GpuFacts = { smi: { state: 'missing' }, cards: 0, cuda: null };
  const listed: GpuFacts = { smi: { state: 'listed', gpus: [card] }, cards: 1, cuda: { built_for: '13.0', usable: true } };

  it('is read from nvidia-smi, and no error line is taken for a card', () => {
    expect(parseSmi('NVIDIA RTX 4090, 24564, 570.86.15\nUnable to determine the device handle\n\n')).toEqual([card]);
  });

  it('is told apart: none, no driver, driver that fails, torch that cannot use it', () => {
    expectFinding(judgeGpus(none), 'ok', 'on the CPU');
    expectFinding(judgeGpus({ ...none, cards: 2 }), 'warning', '2 NVIDIA cards without a driver', 'nvidia-driver');
    const failed = (words: string): GpuFacts => ({ ...none, cards: 1, smi: { state: 'failed', words } });
    expectFinding(
      judgeGpus(failed('Failed to initialize NVML: Driver/library version mismatch')),
      'problem',
      'version mismatch',
      'reboot',
    );
    expectFinding(
      judgeGpus(failed("couldn't communicate with the NVIDIA driver")),
      'problem',
      "couldn't communicate",
      'nvidia-driver',
    );
    expectFinding(judgeGpus(listed), 'ok', /RTX 4090 \(24 GB\), driver 570/);
    expectFinding(
      judgeGpus({ ...listed, cuda: { built_for: null, usable: false } }),
      'problem',
      'for the CPU alone',
      'npm run setup',
    );
    expectFinding(judgeGpus({ ...listed, cuda: { built_for: '13.0', usable: false } }), 'problem', 'CUDA 13.0', 'newer one');
  });
});

describe('the data directory', () => {
  const folder = { path: '/srv/low rank', kind: 'folder', mode: 0o700, uid: 1000, our_uid: 1000, writable: true } as const;
  const disk = { path: '/srv', free_bytes: 80 * GB, reserve_bytes: GB, type: 'ext4' };

  it('is ours alone and can be written to', () => {
    expectFinding(judgeFolder(folder), 'ok', 'mode 700');
    expectFinding(judgeFolder({ ...folder, mode: 0o755 }), 'problem', 'mode 755', "chmod 700 '/srv/low rank'");
    expectFinding(judgeFolder({ ...folder, uid: 0 }), 'problem', 'another account', "sudo -u '#0'");
    expectFinding(judgeFolder({ ...folder, writable: false }), 'problem', 'cannot be written', 'chmod 700');
    expectFinding(judgeFolder({ ...folder, kind: 'file' }), 'problem', 'not a folder', 'LOWRANK_DATA_DIR=');
    expectFinding(judgeFolder({ ...folder, kind: 'missing' }), 'ok', 'the first start makes it');
    expectFinding(
      judgeFolder({ ...folder, kind: 'missing', writable: false }),
      'problem',
      'cannot be made',
      'sudo install -d -m 700',
    );
  });

  it('has room beyond the reserve', () => {
    expect(judgeDisk(disk).map(({ level }) => level)).toEqual(['ok']);
    expectFinding(judgeDisk({ ...disk, free_bytes: 0.4 * GB })[0], 'problem', '0.4 GB free', 'df -h /srv');
    expectFinding(judgeDisk({ ...disk, free_bytes: 3 * GB })[0], 'warning', 'little room', 'df -h /srv');
  });

  it('lies on a local disk', () => {
    expectFinding(judgeDisk({ ...disk, type: 'nfs4' })[1], 'problem', 'network drive', 'LOWRANK_DATA_DIR=');
    expectFinding(judgeDisk({ ...disk, type: 'fuse.sshfs' })[1], 'problem', 'network drive', 'local disk');
    expectFinding(judgeDisk({ ...disk, type: '9p' })[1], 'warning', 'shared', 'local disk');
    expectFinding(judgeDisk({ ...disk, type: 'tmpfs' })[1], 'warning', 'in memory', 'local disk');
    expectFinding(judgeDisk({ ...disk, type: 'overlay' })[1], 'warning', 'container', 'Mount a volume');
    expect(judgeDisk({ ...disk, type: null })).toHaveLength(1);
  });

  it('finds its file system by the longest mount point, the later of two on one point', () => {
    const mounts = [
      '27 1 254:0 / / rw - ext4 /dev/vda rw',
      '28 27 0:25 / /srv rw shared:5 - xfs /dev/vdb rw',
      '29 28 0:26 / /srv/da\\040ta rw - nfs4 server:/x rw',
      '30 27 0:27 / /tmp rw - ext4 /dev/vdc rw',
      '31 30 0:28 / /tmp rw - tmpfs tmpfs rw',
    ].join('\n');
    expect(fileSystemOf('/srv/da ta/lowrank', mounts)).toBe('nfs4');
    expect(fileSystemOf('/srv/data', mounts)).toBe('xfs');
    expect(fileSystemOf('/srvother', mounts)).toBe('ext4');
    expect(fileSystemOf('/tmp/x', mounts)).toBe('tmpfs');
    expect(fileSystemOf('/tmp/x', '')).toBeNull();
  });

  it('keeps its secrets to itself', () => {
    expect(judgeSecretFiles([], 1000).map(({ level }) => level)).toEqual(['ok']);
    expect(judgeSecretFiles([{ path: '/d/local-key', mode: 0o600, uid: 1000 }], 1000).map(({ level }) => level)).toEqual(['ok']);
    expectFinding(
      judgeSecretFiles([{ path: '/d/local-key', mode: 0o640, uid: 1000 }], 1000)[0],
      'problem',
      /local-key \(mode 640\)/,
      'chmod 600 /d/local-key',
    );
    expectFinding(
      judgeSecretFiles([{ path: '/d/local-key', mode: 0o600, uid: 0 }], 1000)[0],
      'problem',
      'uid 0',
      'sudo chown 1000 /d/local-key',
    );
  });
});

describe('the studio', () => {
  const studio = { pid: 77, url: 'http://127.0.0.1:3000' };

  it('is known when it runs here, and a deaf one is told apart', () => {
    expectFinding(judgeStudio(null, false, '/d/logs'), 'ok', 'not running');
    expectFinding(judgeStudio(studio, true, '/d/logs'), 'ok', 'second one would be refused');
    expectFinding(judgeStudio(studio, false, '/d/logs'), 'problem', 'does not answer', 'tail -n 50 /d/logs/server.log');
    const backup = { pid: 77, url: 'a backup that is being written' };
    expectFinding(judgeStudio(backup, false, '/d/logs'), 'ok', 'held by a backup that is being written, process 77');
  });

  it('has its port, or the holder is named', () => {
    const holder = { pid: 4711, command: 'python3 -m http.server 3000' };
    expectFinding(judgePort('127.0.0.1', 3000, { state: 'free' }), 'ok', '127.0.0.1:3000 is free');
    expectFinding(
      judgePort('127.0.0.1', 3000, { state: 'taken', holder }),
      'problem',
      'process 4711: python3 -m http.server',
      /kill 4711.*PORT=3001 npm start/,
    );
    expectFinding(
      judgePort('127.0.0.1', 3000, { state: 'taken', holder: null }),
      'problem',
      'another account',
      /sudo ss -ltnp.*PORT=3001/,
    );
    expectFinding(
      judgePort('127.0.0.1', 80, { state: 'refused', code: 'EACCES' }),
      'problem',
      'may not be used',
      'PORT=3000 npm start',
    );
    expectFinding(
      judgePort('10.9.8.7', 3000, { state: 'refused', code: 'EADDRNOTAVAIL' }),
      'problem',
      'no address of this machine',
      'HOST=127.0.0.1',
    );
  });

  it('has a worker that is heard', () => {
    const own = { id: 'here', fault: null as string | null, host: 'h', silent_ms: 3_000, stopped: false };
    const other = { id: 'there', fault: null, host: 'gpu-2', silent_ms: 90_000, stopped: false };
    const judge = (workers: (typeof own)[], runs = true) => judgeWorkers(workers, 'here', runs, '/d/logs');
    expectFinding(judge([own])[0], 'ok', 'heard 3 s ago');
    expectFinding(judge([{ ...own, silent_ms: 31_000 }])[0], 'problem', 'last heard 31 s ago', 'tail -n 50 /d/logs/worker.log');
    expectFinding(judge([{ ...own, stopped: true }])[0], 'problem', 'without its worker', 'worker.log');
    const lame = { fault: 'the container engine has no image' };
    expectFinding(judge([{ ...own, ...lame }])[0], 'problem', 'cannot start trainings: the container', 'docs/executors.md');
    expectFinding(judge([own, { ...other, ...lame, silent_ms: 0 }])[1], 'warning', /gpu-2. cannot start/, 'docs/executors.md');
    expectFinding(judge([])[0], 'problem', 'without its worker', 'worker.log');
    expectFinding(judge([{ ...own, silent_ms: 1e9 }], false)[0], 'ok', 'no studio');
    expectFinding(judge([own, other])[1], 'warning', 'gpu-2', 'npm start');
    expect(judge([own, { ...other, stopped: true }])).toHaveLength(1);
  });
});

describe('the database', () => {
  const role = (name: string) => ({ name, exists: true, superuser: false, bypasses_policies: false });
  const facts: DatabaseFacts = {
    major: 18,
    version: '18.4',
    owner: role('lowrank_owner'),
    logins: [role('lowrank_web'), role('lowrank_scheduler')],
    migrations_missing: 0,
    migrations_ahead: false,
    unguarded: [],
    has_caller: true,
  };
  const judge = (change: Partial<DatabaseFacts>) =>
    judgeDatabase({ ...facts, ...change }, 'here').filter(({ level }) => level !== 'ok');

  it('is well', () => {
    expect(judge({})).toEqual([]);
    expect(judgeDatabase(facts, 'here').map(({ topic }) => topic)).toEqual(['database', 'migrations', 'isolation']);
  });

  it('is told apart: version, migrations, logins, policies', () => {
    expectFinding(judge({ major: 14, version: '14.9' })[0], 'problem', /14\.9.*too old/, 'PostgreSQL 15 to 18');
    expectFinding(judge({ major: 19, version: '19.0' })[0], 'warning', 'newer than', 'PostgreSQL 15 to 18');
    expectFinding(judge({ migrations_missing: 2 })[0], 'problem', '2 of this version', 'npm run lowrank -- migrate');
    expectFinding(judge({ migrations_ahead: true })[0], 'problem', 'newer Lowrank', 'git pull');
    expectFinding(
      judge({ logins: [{ ...role('lowrank_web'), superuser: true }] })[0],
      'problem',
      'is a superuser',
      'ALTER ROLE lowrank_web NOSUPERUSER NOBYPASSRLS',
    );
    expectFinding(
      judge({ logins: [{ ...role('lowrank_web'), bypasses_policies: true }] })[0],
      'problem',
      'bypasses policies',
      'ALTER ROLE lowrank_web',
    );
    expectFinding(
      judge({ logins: [{ ...role('lowrank_web'), exists: false }] })[0],
      'problem',
      'lowrank_web not there',
      'migrate',
    );
    expectFinding(
      judge({ owner: { ...role('postgres'), superuser: true } })[0],
      'warning',
      /postgres.*is a superuser/,
      'CREATE ROLE lowrank_owner',
    );
    expectFinding(
      judge({ unguarded: ['lowrank.datasets'] })[0],
      'problem',
      'lowrank.datasets',
      'ALTER TABLE lowrank.datasets ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY',
    );
    expectFinding(judge({ has_caller: false })[0], 'problem', /auth\.uid\(\) is missing/, 'restore');
    expectFinding(
      judgeRefused([{ login: 'web', words: 'password authentication failed' }])[0],
      'problem',
      'lowrank_web: password',
      'migrate',
    );
  });

  it('that cannot be reached says why', () => {
    const judgeCode = (code: string | undefined, words = 'words') => judgeUnreachable(code, words, 'DATABASE_URL, db:5432');
    expectFinding(judgeCode('ECONNREFUSED'), 'problem', 'nothing listens', 'Start that server');
    expectFinding(judgeCode('ENOTFOUND'), 'problem', 'no such host', 'host in DATABASE_URL');
    expectFinding(judgeCode('28P01', 'password authentication failed'), 'problem', 'refuses this login', 'user, password');
    expectFinding(judgeCode('3D000', 'database "x" does not exist'), 'problem', 'does not exist', 'CREATE DATABASE');
    expectFinding(judgeCode('53300'), 'problem', 'no connection left', 'max_connections');
    expectFinding(judgeCode(undefined, 'timeout expired'), 'problem', 'does not answer', 'the network');
    expectFinding(judgeCode(undefined, 'self-signed certificate'), 'problem', 'self-signed', 'DATABASE_URL');
  });
});
