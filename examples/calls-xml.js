#!/usr/bin/env node
// A client of ampd in XML. It needs Node.js and nothing else.
//
//   node calls-xml.js HOST PORT TYPE NAME SECRET
//       logs in as TYPE (monitor, agent, administrator) and prints calls until one is hung up
//   node calls-xml.js HOST PORT TYPE NAME SECRET QueueInfo Queue=sales
//       prints the answer to a command
const net = require('net')

const [host, port, type, name, secret, command, ...pairs] = process.argv.slice(2)
const connection = net.connect(Number(port), host)
connection.setEncoding('utf8')

const escape = text => text.replace(/[&<"]/g, c => `&#${c.charCodeAt(0)};`)
const send = (action, id, headers) => connection.write(`<command action="${escape(action)}" ActionID="${id}"` +
  headers.map(([name, value]) => ` ${name}="${escape(value)}"`).join('') + ' />\n')

const entities = { amp: '&', lt: '<', gt: '>', quot: '"', '#9': '\t', '#10': '\n', '#13': '\r' }
const unescape = text => text.replace(/&(.*?);/g, (_, name) => entities[name])

// A message of ampd's as pairs of name and value: attributes, then <header name="...">s. That
// is all of XML that ampd writes; another program may take a library.
function parse (line) {
  const headers = []
  for (const m of line.matchAll(/ ([\w.-]+)="([^"]*)"|<header name="([^"]*)">([^<]*)/g)) {
    headers.push([m[1] ?? unescape(m[3]), unescape(m[2] ?? m[4])])
  }
  const error = line.match(/^<command [^>]*>([^<]+)<\/command>$/)
  if (error) headers.push(['Message', unescape(error[1])])
  return headers
}

function take (headers) {
  const packet = Object.fromEntries(headers)
  if (packet.ActionID === 'login') {
    console.log(packet.Message)
    if (packet.response !== 'Success') process.exitCode = 1
    else if (command) send(command, 'command', pairs.map(pair => pair.split(/=(.*)/s)))
  } else if (packet.ActionID === 'command') {
    for (const [name, value] of headers) console.log(`${name}: ${value}`)
    console.log()
    const item = packet.event || packet.EventList === 'start'
    if (!item || ['Complete', 'Cancelled'].includes(packet.EventList)) connection.end()
  } else if (!command && ['Newchannel', 'Hangup'].includes(packet.event)) {
    console.log(packet.event, packet.Channel)
    if (packet.event === 'Hangup') process.exit()
  }
}

let rest = ''
connection.on('data', data => {
  const lines = (rest + data).split('\n') // each message is one
  rest = lines.pop()
  for (const line of lines) if (line.startsWith('<')) take(parse(line))
})
send('login', 'login', [['username', name], ['secret', secret], ['type', type], ['format', 'xml']])
