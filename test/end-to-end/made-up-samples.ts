/** What a made-up training drew or answered: pictures that become clearer from step to step. */
import type { Page } from 'playwright-core';
import type { TrainingSample } from '#/contract/job-outputs.ts';
import { smallPng } from '../png.ts';
import { JOB_ID } from './made-up-job.ts';

export const SAMPLE_STEPS = [0, 30, 60, 90, 120, 150];
const PROMPTS = [
  'a photo of sks teapot on a wooden table, morning light',
  'a photo of sks teapot in the jungle',
  'a watercolour painting of sks teapot beside a bowl of lemons, a long caption that says much more about the light, the table, the cloth and the wall behind it',
];
const SIDE = 96;

const sample = (place: number, at: number): TrainingSample => {
  const id = 10 + at * PROMPTS.length + place;
  return {
    id,
    attempt: 1,
    step: SAMPLE_STEPS[at] ?? 0,
    created_at: '2026-03-01T12:00:00.000Z',
    kind: 'image',
    prompt: PROMPTS[place] ?? '',
    text: null,
    seed: 42 + place,
    width: 512,
    height: 512,
    bytes: 412_334,
    image_url: `/api/jobs/${JOB_ID}/samples/${id}/image`,
    not_kept: null,
  };
};

/** The pictures of so many rounds; one is on its way, and one was refused. */
export function madeUpPictures(rounds: number): TrainingSample[] {
  const all = Array.from({ length: rounds }, (_, at) => PROMPTS.map((_, place) => sample(place, at))).flat();
  return all.map((one, at) => {
    if (at === all.length - 1) return { ...one, image_url: null };
    const not_kept = { code: 'missing' as const, message: 'Its file was not there when it was to be stored.' };
    return at === 4 ? { ...one, image_url: null, not_kept } : one;
  });
}

export function madeUpAnswers(): TrainingSample[] {
  const answers = [
    'I do not know.',
    'Please restart your router, then wait.',
    'Hold the button for ten seconds.\n\nThe light turns green.',
  ];
  const nothing = { seed: null, width: null, height: null, bytes: null, image_url: null };
  return answers.flatMap((text, at) =>
    ['How do I reset it?', 'Where is my invoice?'].map((prompt, place) => ({
      ...{ ...sample(place, at), ...nothing },
      ...{ kind: 'text' as const, prompt, text },
    })),
  );
}

/** A teapot's worth of colour, out of noise. */
function picture(id: number): Buffer {
  const [place, at] = [(id - 10) % PROMPTS.length, Math.floor((id - 10) / PROMPTS.length)];
  const noise = (x: number, y: number) => (Math.abs(Math.sin(x * 12.9898 + y * 78.233 + id) * 43758.5453) % 1) * 255;
  const clear = at / (SAMPLE_STEPS.length - 1);
  const hue = [
    [196, 110, 60],
    [60, 140, 90],
    [80, 110, 190],
  ][place] ?? [0, 0, 0];
  return smallPng(SIDE, SIDE, (x, y) => {
    const inside = Math.hypot(x - SIDE / 2, (y - SIDE / 2) * 1.2) < SIDE * 0.32;
    const channel = (colour: number) => (inside ? colour : 236 - y);
    const mix = (colour: number) => Math.round(channel(colour) * clear + noise(x, y) * (1 - clear));
    return [mix(hue[0] ?? 0), mix(hue[1] ?? 0), mix(hue[2] ?? 0)];
  });
}

/** Answers what a page asks of the job's samples: always the newest list. */
export async function answerSamples(page: Page, list: () => TrainingSample[]): Promise<void> {
  await page.route(`**/api/jobs/${JOB_ID}/samples?**`, (route) =>
    route.fulfill({ json: { success: true, data: { samples: list(), next_after: null } } }),
  );
  await page.route(`**/api/jobs/${JOB_ID}/samples/*/image`, (route) => {
    const id = Number(new URL(route.request().url()).pathname.split('/').at(-2));
    return route.fulfill({ contentType: 'image/png', body: picture(id) });
  });
}
