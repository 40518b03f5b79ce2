import { z } from '@hono/zod-openapi';
import { CommitMessage, HubBranch, HubWriteToken } from '#/domain/hub-push.ts';
import { HUB_REPO_ID_PATTERN, HubRepoId } from '#/domain/model-hub-id.ts';
import { IdempotencyKey, IdParam } from './common.ts';
import { declareRoute } from './declare-route.ts';
import { Transfer } from './transfers.ts';

export const PushArtifact = z
  .strictObject({
    hf_repo_id: HubRepoId.describe('Made where it is not there; one that is there gets a commit').openapi({
      pattern: HUB_REPO_ID_PATTERN,
    }),
    private: z
      .boolean()
      .default(true)
      .describe('Of a repository that is made. Nothing is pushed to a public one unless this is false'),
    revision: HubBranch.default('main').describe('A branch; made where it is not there'),
    message: CommitMessage.optional().describe('The title of the commit'),
    token: HubWriteToken.describe(
      'A token of your own Hub account that may write there: sealed while the push is open, then forgotten; never answered',
    ),
  })
  .openapi('PushArtifact', { example: { hf_repo_id: 'ada/support-lora', token: 'hf_yourOwnTokenWithWriteAccess' } });

export const pushArtifactRoute = declareRoute({
  method: 'post',
  path: '/api/artifacts/{id}/push',
  tags: ['artifacts'],
  summary: 'Bring its files to a repository of the Hub; a worker sends them next',
  request: {
    params: IdParam,
    headers: IdempotencyKey,
    body: { required: true, content: { 'application/json': { schema: PushArtifact } } },
  },
  responses: {
    201: { description: 'The transfer, which waits for a worker', content: { 'application/json': { schema: Transfer } } },
  },
  faults: [404, 429],
});
