/**
 * Hand-picked bad requests by the surface that they try, with the answer that each must get. `X` in a body or path stands for
 * the caller's dataset, `Y` for a stranger's, `G` for one that was deleted, `J` for a job of the caller's that is over.
 */
export interface BadInput {
  id: string;
  method?: string;
  path: string;
  /** Sent as it is; absent: no body. */
  body?: string;
  headers?: Record<string, string>;
  status: number;
  code: string;
  /** The path of a row of the refusal. */
  row?: string;
}

const SUBMIT = '/api/training/submit';
const good = '"dataset_id":"X","type":"lora","base_model":"acme/tiny","config":{},"start":false';
const submit = (id: string, body: string, status: number, code: string, row?: string): BadInput => ({
  id,
  method: 'POST',
  path: SUBMIT,
  body,
  headers: { 'content-type': 'application/json' },
  status,
  code,
  ...(row !== undefined && { row }),
});
/** The good body with fields set anew: the later of two would be a key twice, so it is taken out first. */
const with_ = (field: string, value: string) =>
  `{${good.replace(new RegExp(`"${field}":(?:"[^"]*"|\\{\\}|false)`), `"${field}":${value}`)}${good.includes(`"${field}"`) ? '' : `,"${field}":${value}`}}`;
const broken = (id: string, field: string, value: string, row = field) =>
  submit(id, with_(field, value), 400, 'invalid_request', row);
const config = (id: string, member: string, value: string) => broken(id, 'config', `{"${member}":${value}}`, `config.${member}`);
const get = (id: string, path: string, status: number, code: string, row?: string): BadInput => ({
  id,
  path,
  status,
  code,
  ...(row !== undefined && { row }),
});
const nested = (depth: number) => `${'['.repeat(depth)}${']'.repeat(depth)}`;
const many_keys = JSON.stringify(Object.fromEntries(Array.from({ length: 501 }, (_, at) => [`k${at}`, 1])));

export const BAD_INPUTS: BadInput[] = [
  submit('J01 no body', '', 400, 'invalid_json'),
  submit('J02 a truncated body', '{', 400, 'invalid_json'),
  submit('J04 NaN', '{"config":{"steps":NaN}}', 400, 'invalid_json'),
  submit('J04 Infinity', '{"config":{"steps":Infinity}}', 400, 'invalid_json'),
  submit('J04 a trailing comma', `{${good},}`, 400, 'invalid_json'),
  submit('J04 a comment', `{${good}/*x*/}`, 400, 'invalid_json'),
  submit('J08 256 kB and more', `{${good},"name":"${'a'.repeat(256_001)}"}`, 413, 'payload_too_large'),
  broken('J10 501 keys', 'config', many_keys),
  broken('J11 a key twice', 'config', '{"steps":100,"steps":200}', 'config.steps'),
  config('J13 a constructor', 'constructor', '{"prototype":{}}'),
  config('J13 __proto__', '__proto__', '{"steps":1}'),
  broken('J14 an unknown field', 'foo', '1'),
  broken('J16 a status', 'status', '"completed"'),
  broken('J16 a slot', 'slot', '1'),
  broken('J16 an epoch', 'epoch', '9'),
  broken('J16 a priority beyond all', 'priority', '1000'),
  broken('J17 a cost', 'estimated_cost', '0'),
  broken('J19 no UUID', 'dataset_id', '"123"'),
  broken('J20 a UUID in braces', 'dataset_id', '"{X}"'),
  broken('J20 a UUID as urn', 'dataset_id', '"urn:uuid:X"'),
  submit('J22 a stranger’s dataset', with_('dataset_id', '"Y"'), 403, 'forbidden'),
  submit('J23 a deleted dataset', with_('dataset_id', '"G"'), 404, 'not_found'),
  broken('J26 a list of one UUID', 'dataset_id', '["X"]'),
  broken('J28 another spelling', 'type', '"LoRA"'),
  broken('J29 another method', 'type', '"full"'),
  ...['0', '-0.0', '9.999999e-7', '0.0100000001', '"1e-4"', '1e-400', '1e309'].map((value) =>
    config(`J31-37 learning_rate ${value}`, 'learning_rate', value),
  ),
  ...['1.5', '1.0000000001', '0', '9', '-1', 'true'].map((value) => config(`J38-41 batch_size ${value}`, 'batch_size', value)),
  config('J43 more steps than a double holds', 'steps', '9007199254740993'),
  ...['192', '1088', '[512,768]'].map((value) => config(`J46-47 resolution ${value}`, 'resolution', value)),
  ...['0', '129'].map((value) => config(`J49 lora_alpha ${value}`, 'lora_alpha', value)),
  ...['""', '"   "', `"${'a'.repeat(121)}"`, '"a\\nb"', '"a\\tb"', '"a\\u0000b"', '"a\\u202eb"', '"\\ud800"'].map((value) =>
    broken(`J52-53 name ${value.slice(0, 12)}`, 'name', value),
  ),
  broken('J59 words that are no list', 'trigger_words', '"abc"'),
  broken('J61 a word that is a number', 'trigger_words', '[1]', 'trigger_words.0'),
  broken('J61 a word that is null', 'trigger_words', '[null]', 'trigger_words.0'),
  broken('4.0 a thousand levels', 'config', nested(1000), 'body'),
  broken('D03 arguments', 'config', '{"extra_args":"--output_dir /"}', 'config.extra_args'),
  broken('D03 an environment', 'config', '{"env":{"LD_PRELOAD":"x"}}', 'config.env'),
  broken('D03 volumes', 'config', '{"volumes":["/:/host"]}', 'config.volumes'),
  ...['a/b/c', '../x', 'a/..', 'a/.b', '-a/b', 'a/b-', 'a--b/c', 'a/b..c', 'a/b:main', 'a/b?revision=x', 'stаbilityai/sdxl'].map(
    (id) => broken(`M02-09 ${id}`, 'base_model', `"${id}"`),
  ),
  ...['https://huggingface.co/a/b', 'file:///etc/passwd', '/models/x', './x', '~/x', 'C:\\\\x'].map((id) =>
    broken(`M05-06 ${id}`, 'base_model', `"${id}"`),
  ),
  ...['a/b@../../x', `a/b@${'x'.repeat(300)}`, 'a/b@with space'].map((id) =>
    broken(`M15 ${id.slice(0, 14)}`, 'base_model', `"${id}"`),
  ),
  {
    id: 'H01 no Content-Type',
    method: 'POST',
    path: SUBMIT,
    headers: { 'content-type': '' },
    body: `{${good}}`,
    status: 415,
    code: 'unsupported_media_type',
  },
  ...['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x'].map(
    (type): BadInput => ({
      id: `H02 ${type}`,
      method: 'POST',
      path: SUBMIT,
      headers: { 'content-type': type },
      body: `{${good}}`,
      status: 415,
      code: 'unsupported_media_type',
    }),
  ),
  {
    id: 'H04 a packed body',
    method: 'POST',
    path: SUBMIT,
    headers: { 'content-type': 'application/json', 'content-encoding': 'gzip' },
    body: `{${good}}`,
    status: 415,
    code: 'unsupported_media_type',
  },
  get('H10 a verb by GET', '/api/jobs/J/cancel', 405, 'method_not_allowed'),
  {
    id: 'H11 a method that overrides',
    path: '/api/jobs/J/cancel',
    headers: { 'x-http-method-override': 'POST' },
    status: 405,
    code: 'method_not_allowed',
  },
  { id: 'H16 another Host', path: '/api/jobs', headers: { host: 'evil.example' }, status: 421, code: 'misdirected_request' },
  get('H31 a climbing path', '/api/%2e%2e%2fjobs', 404, 'not_found'),
  get('H31 a path with a parameter', '/api/jobs;x=y', 404, 'not_found'),
  get('H32 another version', '/api/v9/jobs', 404, 'not_found'),
  ...['0', '-1', '501', '1e9', 'abc', '10.5', ''].map((value) =>
    get(`Q01 limit=${value}`, `/api/jobs?limit=${value}`, 400, 'invalid_request', 'limit'),
  ),
  get('Q03 limit[]', '/api/jobs?limit[]=10', 400, 'invalid_request', 'limit[]'),
  get('Q03 limit[$gt]', '/api/jobs?limit[$gt]=1', 400, 'invalid_request', 'limit[$gt]'),
  get('Q04 an offset without end', '/api/datasets?offset=1000000000000', 400, 'invalid_request', 'offset'),
  get('Q04 an offset below nothing', '/api/datasets?offset=-5', 400, 'invalid_request', 'offset'),
  get('Q06 a broken cursor', '/api/jobs?after=abc', 400, 'invalid_request', 'after'),
  get('Q09 a sort', '/api/jobs?sort=password', 400, 'invalid_request', 'sort'),
  get('Q10 a search of 10,000 characters', `/api/datasets?q=${'x'.repeat(10_000)}`, 400, 'invalid_request', 'q'),
  get('Q12 somebody else’s rows', '/api/jobs?user_id=00000000-0000-4000-8000-000000000000', 400, 'invalid_request', 'user_id'),
  get('Q13 fields', '/api/jobs?fields=config.secret', 400, 'invalid_request', 'fields'),
  { id: 'K02 an empty Bearer', path: '/api/me', headers: { authorization: 'Bearer ' }, status: 401, code: 'unauthenticated' },
  { id: 'K02 Basic', path: '/api/me', headers: { authorization: 'Basic dTpw' }, status: 401, code: 'unauthenticated' },
  {
    id: 'K04 a key with a wrong sum',
    path: '/api/me',
    headers: { authorization: `Bearer lowrank_${'a'.repeat(43)}` },
    status: 401,
    code: 'unauthenticated',
  },
  {
    id: 'K13 a key of 10,000 characters',
    path: '/api/me',
    headers: { authorization: `Bearer ${'k'.repeat(10_000)}` },
    status: 401,
    code: 'unauthenticated',
  },
  {
    id: 'K11 a key made by a key',
    method: 'POST',
    path: '/api/keys',
    headers: { 'content-type': 'application/json' },
    body: '{"name":"x"}',
    status: 403,
    code: 'session_required',
  },
  {
    id: 'A05 a job’s status set by hand',
    method: 'PATCH',
    path: '/api/jobs/J',
    headers: { 'content-type': 'application/json' },
    body: '{"status":"queued"}',
    status: 405,
    code: 'method_not_allowed',
  },
  { id: 'A06 a cancel of what is over', method: 'POST', path: '/api/jobs/J/cancel', status: 409, code: 'job_already_final' },
  get('E06 a stranger’s stream', '/api/jobs/00000000-0000-4000-8000-000000000000/stream', 404, 'not_found'),
  { id: 'E06 a stream by POST', method: 'POST', path: '/api/jobs/J/stream', status: 405, code: 'method_not_allowed' },
  get(
    'N10 a file by its name',
    '/api/artifacts/00000000-0000-4000-8000-000000000000/download?file=../manifest.json',
    400,
    'invalid_request',
    'file',
  ),
];
