#!/usr/bin/env python3
# A client of ampd in XML. It needs Python 3 and nothing else.
#
#   python3 calls-xml.py HOST PORT TYPE NAME SECRET
#       logs in as TYPE (monitor, agent, administrator) and prints calls until one is hung up
#   python3 calls-xml.py HOST PORT TYPE NAME SECRET QueueInfo Queue=sales
#       prints the answer to a command
import socket
import sys
from xml.etree import ElementTree


def packets(lines):
    """Yields packets, each a list of (name, value): every message is one line."""
    for line in lines:
        if not line.startswith("<"):
            continue  # the greeting of a listener for native clients
        element = ElementTree.fromstring(line)
        packet = list(element.attrib.items())
        packet += [(header.get("name"), header.text or "") for header in element]
        if element.text:  # the general error
            packet.append(("Message", element.text))
        yield packet


def ask(connection, incoming, action, headers):
    """Sends a command and yields its answer: one packet, or those of a list."""
    command = ElementTree.Element("command", {"action": action, "ActionID": "1", **headers})
    connection.sendall(ElementTree.tostring(command) + b"\n")
    for packet in incoming:
        header = dict(packet)
        if header.get("ActionID") != "1":
            continue  # an event
        yield packet
        item = "event" in header or header.get("EventList") == "start"
        if not item or header.get("EventList") in ("Complete", "Cancelled"):
            return


host, port, kind, name, secret, *command = sys.argv[1:]
connection = socket.create_connection((host, port))
incoming = packets(connection.makefile("r", encoding="utf-8", newline="\n"))
login = {"username": name, "secret": secret, "type": kind, "format": "xml"}
for answer in ask(connection, incoming, "login", login):
    print(dict(answer)["Message"], flush=True)
    if dict(answer)["response"] != "Success":
        sys.exit(1)
if command:
    for packet in ask(connection, incoming, command[0], dict(pair.split("=", 1) for pair in command[1:])):
        print(*(f"{name}: {value}" for name, value in packet), sep="\n", end="\n\n")
    sys.exit()
for event in map(dict, incoming):
    if event.get("event") in ("Newchannel", "Hangup"):
        print(event["event"], event["Channel"], flush=True)
        if event["event"] == "Hangup":
            break
