// The GPUs: what nvidia-smi lists, what is plugged in, and if the trainer's torch can use it.
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { askProgram } from './ask-program.ts';
import type { Check } from './check.ts';
import { type Finding, ok, problem, warning } from './finding.ts';
import type { TrainerFacts } from './trainer.ts';

export interface GpuFacts {
  smi: { state: 'missing' } | { state: 'failed'; words: string } | { state: 'listed'; gpus: Gpu[] };
  /** NVIDIA cards on the PCI bus, whatever drives them. */
  cards: number;
  cuda: TrainerFacts['cuda'];
}

export interface Gpu {
  name: string;
  memory_mb: number;
  driver: string;
}

/** Lines of `name, memory in MB, driver`; others are left out. */
export function parseSmi(text: string): Gpu[] {
  return text.split('\n').flatMap((line) => {
    const [name, memory, driver] = line.split(',').map((field) => field.trim());
    const memory_mb = Number(memory);
    return name && driver && memory_mb > 0 ? [{ name, memory_mb, driver }] : [];
  });
}

const DRIVER =
  "Install NVIDIA's driver (Debian: apt-get install nvidia-driver, Ubuntu: ubuntu-drivers install) and restart the machine";

export function judgeGpus(facts: GpuFacts): Finding {
  const { smi, cards, cuda } = facts;
  if (smi.state === 'failed') {
    const mismatch = /version mismatch/i.test(smi.words);
    const cure = mismatch
      ? 'The driver was updated while it ran: restart the machine (reboot)'
      : `${DRIVER}; what the kernel says: dmesg | grep -i nvrm`;
    return problem('gpu', `nvidia-smi fails: ${smi.words}`, cure);
  }
  if (smi.state === 'missing' || smi.gpus.length === 0) {
    if (cards === 0) return ok('gpu', 'none: trainings run on the CPU');
    return warning('gpu', `${cards} NVIDIA card${cards === 1 ? '' : 's'} without a driver: trainings run on the CPU`, DRIVER);
  }
  const list = smi.gpus.map(({ name, memory_mb }) => `${name} (${(memory_mb / 1024).toFixed(0)} GB)`).join(', ');
  const found = `${list}, driver ${smi.gpus[0]?.driver}`;
  if (cuda === null || cuda.usable) return ok('gpu', found);
  if (cuda.built_for === null) {
    return problem(
      'gpu',
      `${found}, but the trainer's torch is built for the CPU alone`,
      'Let pip take torch from an index with CUDA builds (see: pip config list), then make the environment anew: rm -rf trainer/.venv && npm run setup',
    );
  }
  return problem(
    'gpu',
    `${found}, but torch (made for CUDA ${cuda.built_for}) cannot use it`,
    `The driver is probably too old for CUDA ${cuda.built_for}: install a newer one and restart the machine`,
  );
}

/** A display or 3D controller of NVIDIA; its sound device on the same card does not count. */
async function countCards(): Promise<number> {
  const bus = '/sys/bus/pci/devices';
  const word = (device: string, name: string) => readFile(join(bus, device, name), 'utf8').catch(() => '');
  const devices = await readdir(bus).catch(() => []);
  const found = await Promise.all(
    devices.map(
      async (device) => (await word(device, 'vendor')).trim() === '0x10de' && (await word(device, 'class')).startsWith('0x03'),
    ),
  );
  return found.filter(Boolean).length;
}

export function gpuCheck(facts: () => Promise<TrainerFacts | null>): Check {
  return {
    topic: 'gpu',
    within_ms: 150_000,
    look: async () => {
      const query = ['--query-gpu=name,memory.total,driver_version', '--format=csv,noheader,nounits'];
      const answer = await askProgram('nvidia-smi', query, 20_000);
      const words = (answer.stdout.trim() || answer.stderr).split('\n')[0] || 'it does not answer';
      const smi: GpuFacts['smi'] = answer.missing
        ? { state: 'missing' }
        : answer.code === 0
          ? { state: 'listed', gpus: parseSmi(answer.stdout) }
          : { state: 'failed', words };
      const cards = await countCards();
      const asked = smi.state === 'listed' && smi.gpus.length > 0;
      return [judgeGpus({ smi, cards, cuda: asked ? ((await facts())?.cuda ?? null) : null })];
    },
  };
}
