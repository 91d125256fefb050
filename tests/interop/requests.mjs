// SPDX-License-Identifier: MIT
//
// Shows how Node's HTTP server (llhttp) reads requests, as requests.c does for hooklined's reader:
// the same standard input, the same output. A refusal is "refused/CODE". The first line lists the
// methods that Node knows.
import { readFileSync } from 'node:fs';
import { createServer, METHODS } from 'node:http';
import { Duplex } from 'node:stream';

// A client that has sent all its bytes, and does not close.
class Client extends Duplex {
  constructor() {
    super();
    Object.assign(this, { requests: [], state: 'open' });
  }

  _read() {}

  _write(chunk, encoding, done) {
    done();
  }
}

const hex = (text) => Buffer.from(text, 'latin1').toString('hex');

function note(request, body) {
  const { method, url, httpVersion, rawHeaders } = request;
  const texts = [method, url, httpVersion, body, ...rawHeaders];
  request.socket.requests.push(texts.map((text) => `${hex(text)},`).join(''));
}

function take(request, response) {
  let body = '';
  request.on('data', (chunk) => { body += chunk.toString('latin1'); });
  request.on('end', () => {
    note(request, body);
    response.end();
  });
}

const server = createServer({ insecureHTTPParser: false, requireHostHeader: false });
server.on('request', take);
server.on('checkContinue', take);
server.on('checkExpectation', take);
server.on('connect', (request) => note(request, ''));
server.on('clientError', (error, client) => {
  client.state = `refused/${error.code}`;
});

const input = readFileSync(0);
const clients = [];
for (let at = 0; at < input.length;) {
  const size = input.readUInt32BE(at);
  const client = new Client();
  server.emit('connection', client);
  client.push(input.subarray(at + 4, at + 4 + size));
  clients.push(client);
  at += 4 + size;
}
// Nothing waits for anything outside of this process: a few turns of its loop do it all.
for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate);
const lines = clients.map(({ requests, state }) => [...requests, state].join(' '));
process.stdout.write([METHODS.join(' '), ...lines, ''].join('\n'), () => process.exit());
