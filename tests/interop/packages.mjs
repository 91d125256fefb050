// SPDX-License-Identifier: MIT
//
// HTTP server around third-party signature packages: `node packages.mjs NODE_MODULES SECRETS.json`.
// The server prints its port.
//
// POST /NAME: a delivery; 200 if the package accepts it, else 400, with {"code": ...}.
// POST /sign/NAME {"secret", "id", "at", "body"}: the package's signature headers.
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

const folder = resolve(process.argv[2]);
const secrets = JSON.parse(readFileSync(process.argv[3], 'utf8'));
const load = createRequire(`${folder}/`);
const standardwebhooks = load('standardwebhooks');
const svix = load('svix');
const Stripe = load('stripe');
const { webhooks } = new Stripe('sk_test_of_no_account');
const octokit = await import(pathToFileURL(`${folder}/@octokit/webhooks-methods/dist-node/index.js`));

const listed = (prefix, Webhook) => ({
  sign: ({ secret, id, at, body }) => ({
    [`${prefix}-id`]: id,
    [`${prefix}-timestamp`]: String(at),
    [`${prefix}-signature`]: new Webhook(secret).sign(id, new Date(at * 1000), body),
  }),
  verify: (secret, headers, body) => new Webhook(secret).verify(body, headers),
});

const packages = {
  standard: listed('webhook', standardwebhooks.Webhook),
  svix: listed('svix', svix.Webhook),
  stripe: {
    sign: ({ secret, at, body }) => ({
      'Stripe-Signature': webhooks.generateTestHeaderString({ secret, timestamp: at, payload: body }),
    }),
    verify: (secret, headers, body) =>
      webhooks.constructEvent(body, headers['stripe-signature'], secret),
  },
  github: {
    sign: async ({ secret, body }) => ({ 'X-Hub-Signature-256': await octokit.sign(secret, body) }),
    verify: async (secret, headers, body) => {
      if (!await octokit.verify(secret, body, headers['x-hub-signature-256'])) {
        throw new Error('verify() says false');
      }
    },
  },
};

async function respond(url, headers, body) {
  try {
    if (url.startsWith('/sign/')) return [200, await packages[url.slice(6)].sign(JSON.parse(body))];
    await packages[url.slice(1)].verify(secrets[url.slice(1)], headers, body);
    return [200, { code: 'verified' }];
  } catch (e) {
    return [400, { code: String(e.message).split('\n')[0] }];
  }
}

const server = createServer((request, response) => {
  const chunks = [];
  request.on('data', (chunk) => chunks.push(chunk));
  request.on('end', async () => {
    const body = Buffer.concat(chunks).toString();
    const [status, value] = await respond(request.url, request.headers, body);
    response.writeHead(status, { 'Content-Type': 'application/json' });
    response.end(JSON.stringify(value));
  });
});
server.listen(0, '127.0.0.1', () => console.log(server.address().port));
