import type { Context as HonoContext } from 'hono';
import { pushArtifactRoute } from '#/contract/artifact-push.ts';
import {
  deleteArtifactRoute,
  downloadArtifactRoute,
  downloadRoute,
  getArtifactRoute,
  jobArtifactsRoute,
  listArtifactsRoute,
  restoreArtifactRoute,
} from '#/contract/artifacts.ts';
import { deleteArtifact } from '#/services/artifacts/delete-artifact.ts';
import { type Download, openDownload, signDownload } from '#/services/artifacts/download-artifact.ts';
import { getArtifact, listArtifacts, listJobArtifacts } from '#/services/artifacts/list-artifacts.ts';
import { restoreArtifact } from '#/services/artifacts/restore-artifact.ts';
import { pushArtifact } from '#/services/transfers/push-artifact.ts';
import type { ApiEnv, RouteModule } from './api-env.ts';
import { presentArtifact } from './artifact-presenter.ts';
import { downloadBody } from './download-body.ts';
import { createOnce } from './idempotency.ts';
import { inDoorsEnvelope } from './job-door-c.ts';
import { sendFile } from './send-file.ts';
import { presentTransfer } from './transfer-presenter.ts';

/** What jobs leave, and the way to its bytes. */
export const artifactRoutes: RouteModule = (api) => {
  api.openapi(jobArtifactsRoute, async (c) => {
    const { view: _, ...query } = c.req.valid('query');
    const { artifacts, ...page } = await listJobArtifacts(c.var.ctx, c.req.valid('param').id, query);
    const { limit, offset } = query;
    return c.json(inDoorsEnvelope(c, { artifacts: artifacts.map(presentArtifact), ...page, limit, offset }), 200);
  });
  api.openapi(listArtifactsRoute, async (c) => {
    const query = c.req.valid('query');
    const { artifacts, ...page } = await listArtifacts(c.var.ctx, query);
    const { limit, offset } = query;
    return c.json({ artifacts: artifacts.map(presentArtifact), ...page, limit, offset }, 200);
  });
  api.openapi(getArtifactRoute, async (c) => c.json(presentArtifact(await getArtifact(c.var.ctx, c.req.valid('param').id)), 200));
  api.openapi(deleteArtifactRoute, async (c) => {
    await deleteArtifact(c.var.ctx, c.req.valid('param').id);
    return c.body(null, 204);
  });
  api.openapi(restoreArtifactRoute, async (c) =>
    c.json(presentArtifact(await restoreArtifact(c.var.ctx, c.req.valid('param').id)), 200),
  );
  api.openapi(pushArtifactRoute, (c) => {
    const { id } = c.req.valid('param');
    const wish = c.req.valid('json');
    return createOnce(c, {
      route: 'POST /api/artifacts/{id}/push',
      request: () => ({ id, ...wish }),
      make: (hooks) => pushArtifact(c.var.ctx, id, wish, hooks),
      present: presentTransfer,
    });
  });
  api.openapi(downloadArtifactRoute, async (c) => {
    const signed = await signDownload(c.var.ctx, c.req.valid('param').id, c.req.valid('query').file ?? null);
    const url = `/api/downloads/${signed.token}`;
    const { expires_at, file_name, bytes } = signed;
    return c.json({ url, expires_at: expires_at.toISOString(), file_name, bytes }, 303, { Location: url });
  });
  api.openapi(downloadRoute, async (c) => {
    const download = await openDownload(c.req.valid('param').token);
    if (download.kind === 'zip') return sendZip(c, download);
    // A signed address is for GET alone: what HEAD asks, we know.
    const url = c.req.raw.method === 'HEAD' ? null : await download.address(attachment(download.file_name));
    if (url === null) return sendFile(c, download, { user_id: download.user_id, headers: common(download.file_name) });
    return c.body(null, 303, { Location: url, 'Cache-Control': 'private, no-store' });
  });
};

/** RFC 6266: a plain name for old clients, the exact one for all others. */
function attachment(file_name: string): string {
  const plain = file_name.replace(/[^A-Za-z0-9._-]/g, '_');
  const exact = encodeURIComponent(file_name).replace(
    /['()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  return `attachment; filename="${plain}"; filename*=UTF-8''${exact}`;
}

// The policy that lets a document do nothing, and nosniff, are on every answer of the API.
const common = (file_name: string) => ({
  'Content-Type': 'application/octet-stream',
  'Content-Disposition': attachment(file_name),
  'Cache-Control': 'private, no-store',
});

async function sendZip(c: HonoContext<ApiEnv>, download: Download & { kind: 'zip' }): Promise<Response> {
  const headers = { ...common(download.file_name), 'Content-Type': 'application/zip', 'Accept-Ranges': 'none' };
  if (c.req.raw.method === 'HEAD') return new Response(null, { headers });
  return new Response(await downloadBody(download.user_id, c.req.raw.signal, download.open), { headers });
}
