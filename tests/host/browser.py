# SPDX-License-Identifier: GPL-2.0-only
"""A real browser for the tests of pages."""
import json
import os
import subprocess


class Browser:
    """Chromium, spoken to through the pipes that it has for this: messages are JSON, each with a zero behind it."""

    def __init__(self, folder):
        to, our_end = os.pipe()
        answers, from_it = os.pipe()
        self.log, self.id, self.ours, self.answers, self.unread, self.queue = [], 0, our_end, answers, [], []

        def pipes():  # It reads from 3 and writes to 4.
            end = os.dup(from_it)
            os.dup2(to, 3)
            os.dup2(end, 4)
            os.set_inheritable(3, True)
            os.set_inheritable(4, True)

        # No sandbox: it shows files that we have made, and where tests run as root it cannot have one.
        self.process = subprocess.Popen(
            ["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--remote-debugging-pipe", "--no-first-run",
             "--disable-dev-shm-usage", f"--user-data-dir={folder}", "about:blank"], preexec_fn=pipes, close_fds=False,
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.close(to)
        os.close(from_it)
        self.session = None
        target = next(t for t in self("Target.getTargets")["targetInfos"] if t["type"] == "page")["targetId"]
        self.session = self("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self(f"{domain}.enable")

    def message(self):
        while not self.queue:
            data = os.read(self.answers, 1 << 20)
            if not data:
                raise EOFError("the browser ended")
            self.unread.append(data)
            if b"\0" in data:
                *self.queue, rest = b"".join(self.unread).split(b"\0")
                self.unread = [rest]
        m = json.loads(self.queue.pop(0))
        if m.get("method") in ("Runtime.consoleAPICalled", "Runtime.exceptionThrown", "Log.entryAdded"):
            self.log.append(f'the browser says: {m["params"]}')
        if m.get("method") == "Network.requestWillBeSent":
            self.log.append(f'loads {m["params"]["request"]["url"][:200]}')
        return m

    def __call__(self, method, **params):
        self.id += 1
        m = {"id": self.id, "method": method, "params": params}
        if self.session:
            m["sessionId"] = self.session
        os.write(self.ours, json.dumps(m).encode() + b"\0")
        while True:
            m = self.message()
            if m.get("id") == self.id:
                if "error" in m:
                    raise RuntimeError(f'{method}: {m["error"]}')
                return m["result"]

    def load(self, path):
        """A page that is a file; what is loaded, and what the browser complains about, is in .log by then."""
        self.log.clear()
        self("Page.navigate", url=f"file://{path}")
        while self.message().get("method") != "Page.loadEventFired":
            pass

    def value(self, expression):
        return self("Runtime.evaluate", expression=expression, returnByValue=True)["result"]["value"]

    def close(self):
        self("Browser.close")
        self.process.wait(30)
