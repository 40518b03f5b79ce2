/** Bytes a second over the last few seconds, from samples of (time in ms, bytes sent so far). */
export class UploadSpeed {
  private readonly samples: { at: number; sent: number }[] = [];

  /** Adds a sample; answers bytes a second, or null while there is too little to tell. */
  add(at: number, sent: number): number | null {
    this.samples.push({ at, sent });
    while (this.samples.length > 2 && at - (this.samples[0]?.at ?? at) > WINDOW_MS) this.samples.shift();
    const first = this.samples[0];
    if (first === undefined || at - first.at < SETTLE_MS) return null;
    return ((sent - first.sent) * 1000) / (at - first.at);
  }
}

const WINDOW_MS = 4_000;
const SETTLE_MS = 300;
