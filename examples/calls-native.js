#!/usr/bin/env node
// A client of ampd in AMI's own format. It needs Node.js and nothing else.
//
//   node calls-native.js HOST PORT TYPE NAME SECRET
//       logs in as TYPE (monitor, agent, administrator) and prints calls until one is hung up
//   node calls-native.js HOST PORT TYPE NAME SECRET QueueInfo Queue=sales
//       prints the answer to a command
const net = require('net')

const [host, port, type, name, secret, command, ...pairs] = process.argv.slice(2)
const connection = net.connect(Number(port), host)
connection.setEncoding('utf8')

const send = (action, id, headers) =>
  connection.write([`Action: ${action}`, `ActionID: ${id}`, ...headers, '', ''].join('\r\n'))

// A packet as pairs of name and value.
function parse (text) {
  const headers = []
  for (const line of text.split('\r\n')) {
    if (line.endsWith('--END COMMAND--')) { // the text that Command answers, with LFs inside
      for (const output of line.split('\n').slice(0, -1)) headers.push(['Output', output])
    } else if (line.includes(': ')) { // not the greeting
      const end = line.indexOf(': ')
      headers.push([line.slice(0, end), line.slice(end + 2)])
    }
  }
  return headers
}

function take (headers) {
  const packet = Object.fromEntries(headers)
  if (packet.ActionID === 'login') {
    console.log(packet.Message)
    if (packet.Response !== 'Success') process.exitCode = 1
    else if (command) send(command, 'command', pairs.map(pair => pair.replace('=', ': ')))
  } else if (packet.ActionID === 'command') {
    for (const [name, value] of headers) console.log(`${name}: ${value}`)
    console.log()
    const item = packet.Event || packet.EventList === 'start'
    if (!item || ['Complete', 'Cancelled'].includes(packet.EventList)) connection.end()
  } else if (!command && ['Newchannel', 'Hangup'].includes(packet.Event)) {
    console.log(packet.Event, packet.Channel)
    if (packet.Event === 'Hangup') process.exit()
  }
}

let rest = ''
connection.on('data', data => {
  const packets = (rest + data).split('\r\n\r\n')
  rest = packets.pop()
  for (const text of packets) take(parse(text))
})
send('Login', 'login', [`Username: ${name}`, `Secret: ${secret}`, `Type: ${type}`, 'Format: Asterisk'])
