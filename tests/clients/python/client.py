"""Drives panoramisk (Debian's python3-panoramisk) as ../README.md says:

    python3 client.py panoramisk HOST PORT USER SECRET plain|md5
"""
import asyncio
import hashlib
import json
import sys

import panoramisk

host, port, user, secret, auth = sys.argv[2:7]


class Client:
    def __init__(self):
        self.events = []  # all since the first login
        self.changed = asyncio.Condition()
        self.is_lost = False
        self.ready = asyncio.Event()
        account = {"username": user, "secret": secret} if auth == "plain" else {}
        self.manager = panoramisk.Manager(
            host=host, port=int(port), reconnect_timeout=1, on_login=self.on_login,
            on_connect=self.on_connect, on_disconnect=self.on_disconnect, **account)
        self.manager.register_event("*", self.on_event)
        self.refused = None

    def on_login(self, manager):
        self.ready.set()

    def on_connect(self, manager):
        if auth == "md5":
            asyncio.ensure_future(self.login_by_md5())

    async def login_by_md5(self):
        challenge = await self.manager.send_action({"Action": "Challenge", "AuthType": "MD5"})
        key = hashlib.md5((challenge.challenge + secret).encode()).hexdigest()
        answer = await self.manager.send_action(
            {"Action": "Login", "AuthType": "MD5", "Username": user, "Key": key, "Events": "on"})
        if answer.success:
            self.ready.set()
        else:
            self.refused = answer.message
            self.ready.set()

    def on_disconnect(self, manager, reason):
        self.is_lost = True
        self.ready.clear()

    async def on_event(self, manager, event):
        # The library starts this in order, and it does not wait before the append.
        self.events.append(headers(event))
        async with self.changed:
            self.changed.notify_all()

    async def login(self, seconds=20):
        await asyncio.wait_for(self.ready.wait(), seconds)
        if self.refused:
            raise Exception(self.refused)

    async def find(self, start, wanted):
        async with self.changed:
            while True:
                for i in range(start, len(self.events)):
                    if wanted(self.events[i]):
                        return i
                start = len(self.events)
                await self.changed.wait()

    async def run(self, step):
        future = self.manager.send_action(step["action"])
        answer = await asyncio.wait_for(future, step.get("seconds", 20))
        packets = answer if isinstance(answer, list) else [answer]
        return {"response": headers(packets[0]), "events": [headers(p) for p in packets[1:]]}

    async def between(self, step):
        def marker(name):
            return lambda e: e.get("Event") == "UserEvent" and e.get("UserEvent") == name

        async def find():
            first = await self.find(0, marker(step["from"]))
            return first, await self.find(first, marker(step["to"]))

        first, last = await asyncio.wait_for(find(), step.get("seconds", 60))
        return {"events": self.events[first + 1:last]}

    async def again(self, step):
        was, self.is_lost = self.is_lost, False
        await self.login()  # the library connects again by itself
        return {"lost": was}


def headers(message):
    return {k: v for k, v in message.items() if k != "content"}


def say(answer):
    print(json.dumps(answer), flush=True)


async def main():
    client = Client()
    loop = asyncio.get_running_loop()
    await client.manager.connect()
    try:
        await client.login(5)
    except Exception as error:
        say({"error": str(error) or "no login"})
        sys.exit(1)
    say({"login": True})
    steps = {"run": client.run, "events": client.between, "again": client.again}
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        step = json.loads(line)
        try:
            say(await steps[step["do"]](step))
        except Exception as error:
            say({"error": str(error) or type(error).__name__})
    client.manager.close()


asyncio.run(main())
