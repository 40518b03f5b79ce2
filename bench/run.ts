import { execFileSync } from 'node:child_process';
import { cpus, totalmem } from 'node:os';

const BENCHES: Record<string, (flags: string[]) => Promise<void>> = {
  claims: async () => {
    await (await import('./claim.ts')).benchClaim();
    await (await import('./fair-claims.ts')).benchFairClaims();
  },
  submit: async () => (await import('./submit.ts')).benchSubmit(),
  reads: async () => (await import('./reads.ts')).benchReads(),
  listing: async () => (await import('./listing.ts')).benchListing(),
  viewers: async () => (await import('./viewers.ts')).benchViewers(),
  ingest: async () => (await import('./ingest.ts')).benchIngest(),
  start: async () => (await import('./start.ts')).benchStart(),
  upload: async () => (await import('./upload.ts')).benchUpload(),
  'real-input': async () => (await import('./real-input.ts')).benchRealInput(),
  overhead: async () => (await import('./overhead.ts')).benchOverhead(),
  containers: async () => (await import('./containers.ts')).benchContainers(),
  'image-trainer': async () => (await import('./image-trainer.ts')).benchImageTrainer(),
  'image-cache': async () => (await import('./image-cache.ts')).benchImageCache(),
  foresight: async (flags) => (await import('./foresight/foresight.ts')).benchForesight(flags),
};

const given = process.argv.slice(2);
const first_flag = given.findIndex((one) => one.startsWith('--'));
const [asked, flags] = first_flag < 0 ? [given, []] : [given.slice(0, first_flag), given.slice(first_flag)];
const unknown = asked.filter((name) => BENCHES[name] === undefined);
if (unknown.length > 0) {
  console.error(`No such bench: ${unknown.join(', ')}. There are: ${Object.keys(BENCHES).join(', ')}`);
  process.exit(1);
}
if (flags.length > 0 && asked.join() !== 'foresight') {
  console.error('Only foresight takes flags, alone.');
  process.exit(1);
}
const commit = execFileSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8' }).trim();
console.log(
  `${cpus().length} × ${cpus()[0]?.model}, ${Math.round(totalmem() / 2 ** 30)} GB, Node ${process.version}, commit ${commit}`,
);
// The long ones run only when they are asked for: each takes up to half an hour, and one wants a Docker engine.
const LONG = ['overhead', 'real-input', 'containers', 'image-trainer'];
for (const name of asked.length > 0 ? asked : Object.keys(BENCHES).filter((one) => !LONG.includes(one)))
  await BENCHES[name]?.(flags);
