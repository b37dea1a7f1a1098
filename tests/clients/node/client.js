// Drives an AMI client of the npm registry as ../README.md says:
//
//   node client.js LIBRARY HOST PORT USER SECRET
'use strict';

const readline = require('readline');

const [library, host, port, username, secret] = process.argv.slice(2);

// A library's adapter: connect() resolves when logged in; send(action) resolves to the response. It calls
// seen(event) for each event and lost() when the connection has ended.
const adapters = {
  'asterisk-manager': (seen, lost) => {
    const Manager = require('asterisk-manager');
    let manager;
    return {
      connect: () => new Promise((resolve, reject) => {
        manager = new Manager(Number(port), host, username, secret, true);
        manager.on('managerevent', seen);
        manager.on('error', reject);
        manager.on('close', () => { reject(new Error('closed')); lost(); });
        // What is asked before the login has succeeded waits for it.
        manager.action({ action: 'ping' }, (err, res) => (err ? reject(new Error(err.message)) : resolve(res)));
      }),
      send: (action) => new Promise((resolve) => manager.action({ ...action, ActionID: undefined, actionid: action.ActionID }, (err, res) => resolve(res))),
      close: () => manager.disconnect(),
    };
  },

  'asterisk-ami-client': (seen, lost) => {
    const Client = require('asterisk-ami-client');
    let client;
    return {
      connect: () => {
        client = new Client({ reconnect: false, emitEventsByTypes: false });
        client.on('event', seen);
        client.on('disconnect', lost);
        client.on('internalError', () => {});
        return client.connect(username, secret, { host, port: Number(port) });
      },
      send: (action) => client.action(action, true),
      close: () => client.disconnect(),
    };
  },

  yana: (seen, lost) => {
    const AMI = require('yana');
    const ami = new AMI({ host, port: Number(port), login: username, password: secret, events: true, reconnect: true });
    ami.on('event', seen);
    const login = (name) => new Promise((resolve, reject) => {
      ami.once(name, resolve);
      ami.once('error', (message) => reject(new Error(message)));
    });
    let ready = login('connect');
    ami.on('disconnect', () => { ready = login('reconnect'); lost(); });
    ami.connect();
    return {
      connect: () => ready, // it connects again by itself
      // The callback is called for the list items too.
      send: (action) => new Promise((resolve) => ami.send(action, (message) => message.Response && resolve(message))),
      close: () => ami.disconnect(),
    };
  },

  nami: (seen, lost) => {
    const nami = require('nami');
    const quiet = { error() {}, warn() {}, info() {}, debug() {} };
    let client;
    return {
      connect: () => new Promise((resolve, reject) => {
        client = new nami.Nami({ host, port: Number(port), username, secret, logger: quiet });
        client.on('namiEvent', seen);
        client.on('namiConnected', resolve);
        client.on('namiLoginIncorrect', () => reject(new Error('login incorrect')));
        client.on('namiInvalidPeer', () => reject(new Error('invalid peer')));
        client.on('namiConnectionError', ({ error }) => reject(error));
        client.on('namiConnectionClose', lost);
        client.open();
      }),
      send: (action) => new Promise((resolve) => {
        const message = new nami.Actions.Ping();
        delete message.id;
        for (const [name, value] of Object.entries(action)) message.set(name, value);
        client.send(message, ({ events, lines, EOL, variables, ...response }) => {
          for (const event of events || []) seen(event);
          resolve(response);
        });
      }),
      close: () => client.close(),
    };
  },

  'ami-io': (seen, lost) => {
    const AmiIo = require('ami-io');
    let client;
    return {
      connect: () => new Promise((resolve, reject) => {
        client = AmiIo.createClient({ host, port: Number(port), login: username, password: secret, encoding: 'utf8', logger: new AmiIo.SilentLogger() });
        client.on('rawEvent', seen);
        client.on('connected', resolve);
        client.on('incorrectLogin', () => reject(new Error('incorrect login')));
        client.on('incorrectServer', () => reject(new Error('incorrect server')));
        client.on('socketError', reject);
        client.on('disconnected', lost);
        client.connect(false);
      }),
      send: (action) => new Promise((resolve) => {
        const message = new AmiIo.Action.Ping();
        delete message.id;
        for (const [name, value] of Object.entries(action)) message.set(name, value);
        client.send(message, (err, response) => {
          const { variables, incomingData, events, ...headers } = err || response;
          resolve(headers);
        });
      }),
      close: () => client.disconnect(),
    };
  },
};

const events = []; // all since the first login
let waiting = []; // to be called at each event
let isLost = false;
const wake = () => { for (const check of waiting) check(); };
const seen = ({ lines, EOL, variables, incomingData, ...event }) => { events.push(event); wake(); };
const lost = () => { isLost = true; wake(); };

const header = (packet, name) => {
  for (const key of Object.keys(packet)) if (key.toLowerCase() === name) return String(packet[key]);
  return undefined;
};

// find waits until an event from the index on is as asked, and resolves to its index.
function find(from, is, seconds) {
  return new Promise((resolve, reject) => {
    const end = (settle, value) => { clearTimeout(timer); waiting = waiting.filter((c) => c !== check); settle(value); };
    const timer = setTimeout(() => end(reject, new Error('no such event')), seconds * 1000);
    const check = () => {
      for (; from < events.length; from++) if (is(events[from])) return end(resolve, from);
    };
    waiting.push(check);
    check();
  });
}

const within = (seconds, promise) => {
  let timer;
  return Promise.race([promise, new Promise((_, reject) => { timer = setTimeout(() => reject(new Error('no answer')), seconds * 1000); })])
    .finally(() => clearTimeout(timer));
};

let actions = 0;
const steps = {
  async run({ action, until, seconds = 20 }, client) {
    const id = `${library}-${process.pid}-${++actions}`;
    const from = events.length;
    const response = await within(seconds, client.send({ ...action, ActionID: id }));
    const own = (event) => header(event, 'actionid') === id;
    if (!until || header(response, 'response') === 'Error') return { response, events: [] };
    const last = await find(from, (event) => own(event) && header(event, 'event') === until, seconds);
    return { response, events: events.slice(from, last + 1).filter(own) };
  },
  async events({ from, to, seconds = 60 }) {
    const marker = (name) => (event) => header(event, 'event') === 'UserEvent' && header(event, 'userevent') === name;
    const first = await find(0, marker(from), seconds);
    const last = await find(first, marker(to), seconds);
    return { events: events.slice(first + 1, last) };
  },
  async again({ seconds = 20 }, client) {
    const was = isLost;
    isLost = false;
    if (was) await within(seconds, client.connect());
    return { lost: was };
  },
};

const say = (object) => process.stdout.write(`${JSON.stringify(object)}\n`);

async function main() {
  const client = adapters[library](seen, lost);
  try {
    await within(20, client.connect());
  } catch (error) {
    say({ error: error.message });
    process.exit(1);
  }
  say({ login: true });
  for await (const line of readline.createInterface({ input: process.stdin })) {
    const step = JSON.parse(line);
    try {
      say(await steps[step.do](step, client));
    } catch (error) {
      say({ error: error.message });
    }
  }
  client.close();
  setTimeout(() => process.exit(0), 100);
}

console.log = () => {}; // a library's own remarks
process.on('uncaughtException', (error) => { say({ error: `uncaught: ${error.message}` }); process.exit(1); });
main();
