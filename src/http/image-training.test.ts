import { readFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { addCaller, json, noWaiting } from '../../test/api.ts';
import { addBaseModel, addDataset } from '../../test/factories.ts';
import { api, asked, caller, db, submit } from '../../test/submission-scene.ts';

describe('a training on images', () => {
  const SHAPE = { version: 1, shape: null, image: { kind: 'sdxl', denoiser: 2.567e9, encoders: 8.18e8, vae: 8.4e7, side: 1024 } };
  const STATISTICS = { images: 12, class_images: 0, captions: { with: 12 }, buckets: { 512: [{ samples: 12 }] } };
  const images = (fields: Record<string, unknown> = {}) =>
    addDataset(db, caller.user_id, {
      modality: 'image',
      format: 'images',
      num_samples: 12,
      total_training_pairs: 12,
      total_validation_pairs: 0,
      statistics: JSON.stringify(STATISTICS),
      ...fields,
    });
  const pipeline = (fields: Record<string, unknown> = {}) =>
    addBaseModel(db, {
      name: 'acme/sdxl',
      hf_repo_id: 'acme/sdxl',
      hf_requested_revision: 'main',
      hf_revision: 'c0ffee',
      modality: 'image',
      architecture: 'StableDiffusionXLPipeline',
      shape: JSON.stringify(SHAPE),
      context_length: null,
      has_chat_template: false,
      ...fields,
    });
  const held = (fields: Record<string, unknown>) => submit(asked({ base_model: 'acme/sdxl', start: false, ...fields }));
  const planOf = async (job_id: string) =>
    (await db.asOwner('SELECT config FROM lowrank.training_jobs WHERE id = $1', [job_id]))[0]?.config;

  test('is planned as it was asked for, foretold, and keeps what DreamBooth needs', async () => {
    await pipeline();
    const plain = await images();
    const first = await held({ dataset_id: plain, config: { steps: 120, resolution: 768, batch_size: 2 } });
    expect([first.status, (await first.clone().json()).message]).toEqual([200, expect.not.stringMatching(/prior|Trigger/)]);
    const { plan, forecast } = await planOf((await first.json()).job_id);
    expect(plan).toMatchObject({ modality: 'image', model_kind: 'sdxl', resolution: 768, total_steps: 120, prior: null });
    expect(forecast).toMatchObject({ features: null, device_bytes: { figure: expect.any(Number) } });

    const classy = await images({ metadata: JSON.stringify({ class_prompt: 'a photo of a dog' }) });
    const second = await held({ dataset_id: classy, type: 'dreambooth', trigger_words: ['zwx'], config: { steps: 100 } });
    expect((await second.clone().json()).message).not.toMatch(/prior|trigger word/);
    expect((await planOf((await second.json()).job_id)).plan).toMatchObject({
      instance_prompt: 'a photo of zwx dog',
      prior: { class_prompt: 'a photo of a dog', class_images: 100, weight: 1 },
    });

    await noWaiting(db);
    const third = await held({ dataset_id: plain, type: 'dreambooth' });
    expect((await third.json()).message).toMatch(/learned under "sks".*without prior preservation/);
    const odd = await images({ metadata: JSON.stringify({ class_prompt: 7 }) });
    expect((await (await held({ dataset_id: odd, type: 'dreambooth' })).json()).message).toMatch(
      /no class_prompt that is plain text of 1 to 1000 characters, .*without prior preservation/,
    );
  });

  test('with trigger words that make no prompt is refused by every door that takes them, and planned with the longest that do', async () => {
    const base_model_id = await pipeline();
    const dataset_id = await images({ statistics: JSON.stringify({ ...STATISTICS, captions: { with: 0 } }) });
    // 40 × 98 characters and 39 × 2 between them are 3,998; the last word is two more, or three.
    const words = (more: string) => [...Array.from({ length: 39 }, () => 'w'.repeat(98)), `${'w'.repeat(98)}${more}`];
    const by_wizard = (trigger_words: unknown) => ({
      ...{ name: 'Words', base_model_id, dataset_id, recipe_id: 'lora', start: false, trigger_words },
      ...{ train: { max_steps: 10, global_batch_size: 1 }, resources: { gpus: 1, gpu_type: 'L40S' } },
    });
    const { name: _, start: __, ...question } = by_wizard(words('too'));
    for (const answer of [
      await held({ dataset_id, trigger_words: words('too') }),
      await api.request('/api/jobs', json(by_wizard(words('too')), caller.headers)),
      await api.request('/api/experiments/preflight', json(question, caller.headers)),
    ])
      expect([answer.status, (await answer.json()).details]).toEqual([
        400,
        [expect.objectContaining({ path: 'trigger_words', message: expect.stringMatching(/4000 characters together.*fewer/) })],
      ]);
    const fits = await held({ dataset_id, trigger_words: words('ok') });
    const { plan } = await planOf((await fits.json()).job_id);
    expect(plan.instance_prompt).toHaveLength(4000);
    expect((await held({ dataset_id, trigger_words: [{ toString: 1 }] })).status).toBe(400);
  });

  test('on several devices shares each batch among them, where it divides', async () => {
    const base_model_id = await pipeline();
    const dataset_id = await images();
    const by_wizard = (gpus: number, type: string) => ({
      ...{ name: 'Shared', base_model_id, dataset_id, recipe_id: 'lora', start: false },
      ...{ train: { max_steps: 10, global_batch_size: 4 }, resources: { gpus, gpu_type: 'L40S' }, strategy: { type } },
    });
    const ask = (gpus: number, type: string) => api.request('/api/jobs', json(by_wizard(gpus, type), caller.headers));
    const shared = await ask(2, 'none');
    expect([shared.status, await shared.json()]).toMatchObject([
      201,
      { resources: { gpus: 2 }, config: { plan: { devices: 2, strategy: 'ddp', micro_batch: 2, grad_accum: 1 } } },
    ]);
    expect((await (await ask(2, 'fsdp')).json()).config.plan).toMatchObject({ devices: 2, strategy: 'fsdp' });
    const refused = await ask(3, 'ddp');
    expect([refused.status, (await refused.json()).errors]).toEqual([
      422,
      [expect.stringMatching(/does not divide into 1 forward passes on 3 GPUs/)],
    ]);
  });

  test('is refused where dataset, method and base model do not belong together, and says what does', async () => {
    await pipeline();
    const dataset = await images();
    const refusal = async (answer: Response) => {
      const told = await answer.json();
      return [answer.status, told.code, told.details?.[0]?.code ?? told.violations?.[0]?.code];
    };
    const mismatch = [422, 'not_trainable', 'modality_mismatch'];
    expect(await refusal(await held({}))).toEqual(mismatch);
    expect(await refusal(await held({ dataset_id: dataset, base_model: 'acme/tiny' }))).toEqual(mismatch);
    expect(await refusal(await held({ type: 'dreambooth', base_model: 'acme/tiny' }))).toEqual(mismatch);
    const door_b = { dataset_id: dataset, hyperparameters: {} };
    const by_preset = await api.request('/api/jobs', json(door_b, caller.headers));
    expect([by_preset.status, (await by_preset.json()).error]).toEqual([422, expect.stringMatching(/api\/training\/submit/)]);
    const estimate = {
      dataset_id: dataset,
      gpu_config: { type: 'L4', count: 1 },
      hyperparameters: { learning_rate: 1e-4, batch_size: 1, epochs: 1, rank: 8 },
    };
    expect((await api.request('/api/jobs/estimate', json(estimate, caller.headers))).status).toBe(422);
    const stranger = await addCaller(db);
    expect((await submit(asked({ dataset_id: dataset, base_model: 'acme/sdxl' }), stranger.headers)).status).toBe(403);
  });

  test('on a pipeline that is not there yet waits for it, by its name as well as it can be told', async () => {
    const dataset = await images();
    const answer = await held({ dataset_id: dataset, base_model: 'stabilityai/stable-diffusion-xl-base-1.0' });
    const { job_id, status } = await answer.json();
    expect([answer.status, status]).toEqual([200, 'queued']);
    expect((await planOf(job_id)).plan.model_kind).toBe('sdxl');
  });

  test('is submitted as its page of the documentation writes it', async () => {
    const page = await readFile(new URL('../../docs/image-training.md', import.meta.url), 'utf8');
    const ids: Record<string, string> = { DATASET: await images(), MODEL: await pipeline() };
    const examples = [...page.matchAll(/curl --config <\(auth\) (?:-X (PATCH) )?--json '(\{.*?\})' \$LOWRANK(\/api\/[^\s)]+)/gs)];
    const statuses: number[] = [];
    for (const [, method = 'POST', text = '', path = ''] of examples) {
      const [body = '', to = ''] = [text, path].map((one) => one.replace(/'?\$([A-Z]+)'?/g, (_, name) => ids[name] ?? ''));
      const answer = await api.request(to, json(body, caller.headers, method));
      const told = await answer.json();
      statuses.push(answer.status);
      if (method === 'PATCH') continue;
      expect((await planOf(told.job_id ?? told.id)).plan).toMatchObject({
        instance_prompt: 'a photo of zwx vase',
        prior: { class_prompt: 'a photo of a vase' },
        resolution: 1024,
        total_steps: 800,
      });
    }
    expect(statuses).toEqual([200, 200, 201]);
  });

  test('by a recipe is judged by its pictures, and takes what is asked of images', async () => {
    const base_model_id = await pipeline();
    const sides = { short: { min: 400, median: 500 } };
    const dataset = await images({ num_samples: 3, statistics: JSON.stringify({ ...STATISTICS, sides, captions: { with: 0 } }) });
    const ask = (fields: Record<string, unknown> = {}) => ({
      base_model_id,
      dataset_id: dataset,
      recipe_id: 'lora',
      train: { max_steps: 50, global_batch_size: 2 },
      resources: { gpus: 1, gpu_type: 'L40S' },
      ...fields,
    });
    const judged = await (
      await api.request('/api/experiments/preflight', json(ask({ image: { resolution: 1024 } }), caller.headers))
    ).json();
    expect([judged.ok, judged.verdict]).toEqual([true, 'fits']);
    const said = judged.warnings.join(' ');
    for (const word of [
      /is small: 3 samples, fewer than 5/,
      /short side below 1024 pixels/,
      /has a caption, and no trigger word/,
    ])
      expect(said).toMatch(word);
    expect(said).not.toMatch(/tokens|vocabulary/i);
    const refused = await (
      await api.request('/api/experiments/preflight', json(ask({ recipe_id: 'dora' }), caller.headers))
    ).json();
    expect([refused.ok, refused.errors[0]]).toEqual([false, expect.stringMatching(/^ERROR: .*DoRA trains text/)]);
    const image = { resolution: 512, sample_prompts: ['a hen'], train_text_encoder: true };
    const job = await (
      await api.request('/api/jobs', json(ask({ name: 'Hens', image, trigger_words: ['zwx'] }), caller.headers))
    ).json();
    expect(job).toMatchObject({ status: 'PENDING', type: 'lora' });
    expect((await planOf(job.id)).plan).toMatchObject({ ...image, instance_prompt: 'zwx' });
  });
});
