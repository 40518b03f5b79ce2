/** What the image's test is made from, fetched once and kept below the system's temporary folder: a Debian, and the trainer's wheels. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const ROOT = resolve(import.meta.dirname, '../..');
const FOLDER = join(tmpdir(), 'lowrank-image-fixtures');
const SOURCES = '/etc/apt/sources.list.d/debian.sources';
const KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg';
const FETCHED_WITHIN_MS = 540_000;

/** What `make` puts into a new folder, kept under a name that says of what it was made. */
function kept(name: string, of: string, make: (folder: string) => void): string {
  const path = join(FOLDER, `${name}-${createHash('sha256').update(of).digest('hex').slice(0, 12)}`);
  if (existsSync(path)) return path;
  mkdirSync(FOLDER, { recursive: true, mode: 0o700 });
  const staged = mkdtempSync(join(FOLDER, '.staged-'));
  try {
    make(staged);
    renameSync(staged, path);
  } finally {
    rmSync(staged, { recursive: true, force: true });
  }
  return path;
}

/** A tar of the root of the smallest Debian that has Python, from the mirror that this machine itself uses. */
export function debianTar(): string {
  const sources = readFileSync(SOURCES, 'utf8');
  const mirror = /^URIs:\s*(\S+)/m.exec(sources)?.[1];
  if (mirror === undefined) throw new Error(`${SOURCES} names no mirror`);
  const flags = ['--variant=minbase', '--include=python3,python3-venv', `--keyring=${KEYRING}`];
  const folder = kept('debian', `${mirror} ${flags.join(' ')}`, (staged) => {
    const root = join(staged, 'root');
    const env = { ...process.env, PATH: `/usr/sbin:/sbin:${process.env.PATH}` };
    const options = { env, stdio: 'ignore' as const, timeout: FETCHED_WITHIN_MS };
    execFileSync('debootstrap', [...flags, 'bookworm', root, mirror], options);
    rmSync(join(root, 'var/cache/apt/archives'), { recursive: true });
    execFileSync('tar', ['-C', root, '-cf', join(staged, 'root.tar'), '.'], options);
    rmSync(root, { recursive: true });
  });
  return join(folder, 'root.tar');
}

/** A folder of the wheels of the pinned requirements, as this machine's pip gets them. */
export function trainerWheels(): string {
  const files = ['requirements.txt', 'constraints.txt'].map((name) => join(ROOT, 'trainer', name));
  return kept('wheels', files.map((file) => readFileSync(file, 'utf8')).join('\0'), (staged) => {
    const [requirements = '', constraints = ''] = files;
    const args = ['download', '--quiet', '--only-binary', ':all:', '--dest', staged, '-r', requirements, '-c', constraints];
    execFileSync(join(ROOT, 'trainer/.venv/bin/python'), ['-m', 'pip', ...args], { stdio: 'ignore', timeout: FETCHED_WITHIN_MS });
  });
}
