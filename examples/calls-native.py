#!/usr/bin/env python3
# A client of ampd in AMI's own format. It needs Python 3 and nothing else.
#
#   python3 calls-native.py HOST PORT TYPE NAME SECRET
#       logs in as TYPE (monitor, agent, administrator) and prints calls until one is hung up
#   python3 calls-native.py HOST PORT TYPE NAME SECRET QueueInfo Queue=sales
#       prints the answer to a command
import socket
import sys


def packets(lines):
    """Yields packets, each a list of (name, value)."""
    packet = []
    for line in lines:  # each up to CR LF: the text that Command answers has LFs inside
        line = line[:-2]
        if line.endswith("--END COMMAND--"):
            packet += [("Output", text) for text in line.split("\n")[:-1]]
        elif line:
            name, _, value = line.partition(": ")
            packet.append((name, value))
        else:
            yield packet
            packet = []


def ask(connection, incoming, action, headers):
    """Sends an action and yields its answer: one packet, or those of a list."""
    lines = [f"Action: {action}", "ActionID: 1", *headers, "", ""]
    connection.sendall("\r\n".join(lines).encode())
    for packet in incoming:
        header = dict(packet)
        if header.get("ActionID") != "1":
            continue  # an event
        yield packet
        item = "Event" in header or header.get("EventList") == "start"
        if not item or header.get("EventList") in ("Complete", "Cancelled"):
            return


host, port, kind, name, secret, *command = sys.argv[1:]
connection = socket.create_connection((host, port))
lines = connection.makefile("r", encoding="utf-8", errors="replace", newline="\r\n")
lines.readline()  # Asterisk Call Manager/...
incoming = packets(lines)
login = [f"Username: {name}", f"Secret: {secret}", f"Type: {kind}", "Format: Asterisk"]
for answer in ask(connection, incoming, "Login", login):
    print(dict(answer)["Message"], flush=True)
    if dict(answer)["Response"] != "Success":
        sys.exit(1)
if command:
    for packet in ask(connection, incoming, command[0], [pair.replace("=", ": ", 1) for pair in command[1:]]):
        print(*(f"{name}: {value}" for name, value in packet), sep="\n", end="\n\n")
    sys.exit()
for event in map(dict, incoming):
    if event.get("Event") in ("Newchannel", "Hangup"):
        print(event["Event"], event["Channel"], flush=True)
        if event["Event"] == "Hangup":
            break
