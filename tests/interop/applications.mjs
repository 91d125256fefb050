// SPDX-License-Identifier: MIT
//
// Applications that use the senders' own packages as their documentation shows, with nothing of
// hookline: `node applications.mjs NODE_MODULES SECRETS.json`. The server prints its port.
//
// POST /github, /shopify, /slack or /stripe: a delivery; the status tells the package's verdict.
// GET /received: the calls of the applications' handlers.
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

const folder = resolve(process.argv[2]);
const secrets = JSON.parse(readFileSync(process.argv[3], 'utf8'));
const load = createRequire(`${folder}/`);
const timeout = 600000; // ms, so that a slow machine changes no answer
const quiet = { debug() {}, info() {}, warn() {}, error() {} };
const received = [];

// ---- GitHub: @octokit/webhooks

const octokit = await import(pathToFileURL(`${folder}/@octokit/webhooks/dist-bundle/index.js`));
const webhooks = new octokit.Webhooks({ secret: secrets.github, log: quiet });
webhooks.onAny(({ id, name, payload }) => received.push({ id, name, number: payload.number }));
const github = octokit.createNodeMiddleware(webhooks, { path: '/github', timeout });

// ---- Shopify: @shopify/shopify-api

load('@shopify/shopify-api/adapters/node');
const { shopifyApi, DeliveryMethod, LATEST_API_VERSION } = load('@shopify/shopify-api');
const shop = shopifyApi({
  apiKey: 'key', apiSecretKey: secrets.shopify, apiVersion: LATEST_API_VERSION, scopes: ['read_orders'],
  hostName: 'app.example', isEmbeddedApp: false, logger: { log: async () => {} },
});
shop.webhooks.addHandlers({
  ORDERS_CREATE: {
    deliveryMethod: DeliveryMethod.Http,
    callbackUrl: '/shopify',
    callback: async (topic, domain, body, id) => { received.push({ id, topic, domain, body }); },
  },
});

async function shopify(rawRequest, rawResponse) {
  const rawBody = await textOf(rawRequest);
  // process() answers before it throws.
  await shop.webhooks.process({ rawBody, rawRequest, rawResponse }).catch(() => {});
}

// ---- Slack: @slack/bolt

const { App, HTTPReceiver, LogLevel } = load('@slack/bolt');
const logger = { ...quiet, setLevel() {}, setName() {}, getLevel: () => LogLevel.ERROR };
const bolt = new HTTPReceiver({
  signingSecret: secrets.slack, endpoints: '/slack', unhandledRequestTimeoutMillis: timeout, logger,
});
const app = new App({
  receiver: bolt, logger,
  authorize: async () => ({ botToken: 'xoxb-of-no-account', botId: 'B1', botUserId: 'U1' }),
});
app.event('app_mention', async ({ body, event }) => {
  received.push({ id: body.event_id, text: event.text });
});
app.command('/deploy', async ({ ack, command }) => {
  await ack();
  received.push({ id: command.trigger_id, text: command.text });
});
const slack = (request, response) => bolt.requestListener(request, response);

// ---- Stripe: stripe

const Stripe = load('stripe');
const { webhooks: payments } = new Stripe('sk_test_of_no_account');

async function stripe(request, response) {
  const body = await textOf(request);
  let status = 200;
  try {
    const event = payments.constructEvent(body, request.headers['stripe-signature'], secrets.stripe);
    received.push({ id: event.id, type: event.type });
  } catch (e) {
    status = 400;
  }
  response.writeHead(status).end();
}

// ---- the server

async function textOf(request) {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

const applications = { '/github': github, '/shopify': shopify, '/slack': slack, '/stripe': stripe };

const server = createServer((request, response) => {
  if (request.url === '/received') response.end(JSON.stringify(received));
  else applications[request.url](request, response);
});
server.listen(0, '127.0.0.1', () => console.log(server.address().port));
