// SPDX-License-Identifier: MIT
//
// Receiver of Foil, Shodai and TruLayer webhooks for Node, written from their public documentation
// without hookline code: `node receiver.mjs SECRETS.json`.
//
// The receiver prints its port, answers POST /foil, /shodai and /trulayer with {"code": ...}, and
// GET /received with all its earlier answers. receiver.py sums up the documentation.
import { createHmac, timingSafeEqual } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';

const TOLERANCE = 300;
const secrets = JSON.parse(readFileSync(process.argv[2], 'utf8'));
const received = [];

class Refused extends Error {
  constructor(status, code) {
    super(code);
    Object.assign(this, { status, code });
  }
}

function isSigned(secret, parts, signature) {
  const mac = createHmac('sha256', secret);
  for (const part of parts) mac.update(part);
  const expected = Buffer.from(mac.digest('hex'));
  const given = Buffer.from(signature);
  return given.length === expected.length && timingSafeEqual(given, expected);
}

function isFresh(stamp) {
  return /^\d{1,15}$/.test(stamp) && Math.abs(Date.now() / 1000 - Number(stamp)) <= TOLERANCE;
}

const isTime = (text) => /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/.test(text);
const keysOf = (event) => Object.keys(event).sort().join();

const providers = {
  foil(secret, headers, body) {
    const stamp = headers['x-foil-timestamp'];
    const signature = headers['x-foil-signature'];
    if (!stamp || !signature) throw new Refused(401, 'missing_header');
    if (!isFresh(stamp)) throw new Refused(401, 'timestamp');
    if (!isSigned(secret, [`${stamp}.`, body], signature)) throw new Refused(401, 'signature');
    const event = JSON.parse(body);
    if (keysOf(event) !== 'created,data,id,object,type' || !/^wevt_[0-9a-f]{32}$/.test(event.id) ||
        event.object !== 'webhook_event' || !isTime(event.created)) throw new Refused(400, 'envelope');
    if (event.type === 'webhook.test' && (event.data.object !== 'webhook_test' ||
        !/^we_[0-9a-f]{32}$/.test(event.data.endpoint.id))) throw new Refused(400, 'data');
    return event;
  },

  shodai(secret, headers, body) {
    const [id, stamp, signature] = ['id', 'timestamp', 'signature'].map(
      (name) => headers[`x-shodai-webhook-${name}`]);
    if (!id || !stamp || !signature) throw new Refused(400, 'missing_header');
    if (!isFresh(stamp)) throw new Refused(400, 'timestamp');
    if (!signature.startsWith('sha256=')) throw new Refused(400, 'signature_format');
    if (!isSigned(secret, [`${stamp}.`, body], signature.slice(7))) throw new Refused(400, 'signature');
    const event = JSON.parse(body);
    const blank = ['id', 'type', 'createdAt'].some(
      (key) => typeof event[key] !== 'string' || event[key].trim() === '');
    if (blank || event.apiVersion !== '2026-06-01' || event.data === null ||
        typeof event.data !== 'object' || Array.isArray(event.data)) throw new Refused(400, 'envelope');
    if (event.id !== id) throw new Refused(400, 'webhook_id');
    return event;
  },

  trulayer(secret, headers, body) {
    const signature = headers['x-trulayer-signature'];
    if (!signature) throw new Refused(401, 'missing_header');
    if (!signature.startsWith('sha256=') || !isSigned(secret, [body], signature.slice(7))) {
      throw new Refused(401, 'signature');
    }
    const event = JSON.parse(body);
    if (event.type === 'ping' && (keysOf(event) !== 'sent_at,type,webhook_id' ||
        !/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(event.webhook_id) ||
        !isTime(event.sent_at))) throw new Refused(400, 'payload');
    return { id: null, type: event.type };
  },
};

function judge(name, headers, body) {
  try {
    const event = providers[name](secrets[name], headers, body);
    return [200, { code: 'verified', id: event.id, type: event.type }];
  } catch (e) {
    return e instanceof Refused ? [e.status, { code: e.code }] : [400, { code: 'payload' }];
  }
}

function answer(response, status, value) {
  response.writeHead(status, { 'Content-Type': 'application/json' });
  response.end(JSON.stringify(value));
}

const server = createServer((request, response) => {
  if (request.method === 'GET') return answer(response, 200, received);
  const chunks = [];
  request.on('data', (chunk) => chunks.push(chunk));
  request.on('end', () => {
    const [status, verdict] = judge(request.url.slice(1), request.headers, Buffer.concat(chunks));
    received.push({ path: request.url, status, ...verdict });
    answer(response, status, verdict);
  });
});
server.listen(0, '127.0.0.1', () => console.log(server.address().port));
