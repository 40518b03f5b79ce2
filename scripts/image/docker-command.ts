import { spawn } from 'node:child_process';

/** A docker command that did not do what it was asked; its own words stand above on the terminal, or here. */
export class DockerFailure extends Error {}

/** Runs docker in full view. Throws `DockerFailure`. */
export async function docker(args: readonly string[]): Promise<void> {
  const code = await run(args, 'inherit', () => undefined);
  if (code !== 0) throw new DockerFailure(`docker ${args[0]} ended with exit code ${code}: the lines above say why`);
}

/** Runs docker and answers what it printed on stdout. Throws `DockerFailure` with what it said on stderr. */
export async function askDocker(args: readonly string[]): Promise<string> {
  const said = { out: '', error: '' };
  const code = await run(args, 'pipe', (name, text) => {
    said[name] += text;
  });
  if (code !== 0) throw new DockerFailure(said.error.trim() || `docker ${args[0]} ended with exit code ${code}`);
  return said.out.trim();
}

function run(args: readonly string[], output: 'inherit' | 'pipe', hear: (name: 'out' | 'error', text: string) => void) {
  return new Promise<number | null>((done, failed) => {
    const child = spawn('docker', args, { stdio: ['ignore', output, output] });
    child.stdout?.setEncoding('utf8').on('data', (text: string) => hear('out', text));
    child.stderr?.setEncoding('utf8').on('data', (text: string) => hear('error', text));
    child.once('error', (error: NodeJS.ErrnoException) =>
      failed(
        error.code === 'ENOENT'
          ? new DockerFailure('There is no docker command here: install Docker (its engine and its command), then run this again')
          : error,
      ),
    );
    child.once('close', (code) => done(code));
  });
}
