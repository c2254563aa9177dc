"""The built book in a browser: nothing is fetched, nothing fails, everything fits a phone."""

import asyncio
import itertools
import json
import shutil
import subprocess
from pathlib import Path

import pytest
from tornado.websocket import websocket_connect

HTML = Path(__file__).resolve().parents[1] / "book" / "_build" / "html"
CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed"),
    pytest.mark.skipif(not HTML.is_dir(), reason="the book is not built: make book"),
]

FACTS = """(async () => {
    if (window.MathJax?.startup) await MathJax.startup.promise;
    return {
        theme: document.documentElement.dataset.theme,
        overflow: document.documentElement.scrollWidth - document.documentElement.clientWidth,
        formulas: document.querySelectorAll(".math").length,
        rendered: document.querySelectorAll(".math mjx-container svg").length,
        wrong: document.querySelectorAll("[data-mml-node=merror]").length,
        broken: [...document.images].filter(i => !i.naturalWidth).map(i => i.src),
    };
})()"""


class Tab:
    """One tab of a browser, driven over the DevTools protocol."""

    def __init__(self, socket):
        self.socket = socket
        self.session = None
        self.ids = itertools.count()
        self.events = []

    async def call(self, method, **params):
        """Send one command and return its result; what happens meanwhile goes to `events`."""
        message = {"id": next(self.ids), "method": method, "params": params}
        if self.session:
            message["sessionId"] = self.session
        await self.socket.write_message(json.dumps(message))
        while (reply := await self.receive()).get("id") != message["id"]:
            self.events.append(reply)
        assert "error" not in reply, reply
        return reply["result"]

    async def receive(self):
        """Return the next message."""
        return json.loads(await asyncio.wait_for(self.socket.read_message(), timeout=60))

    async def open(self, url, width, scheme):
        """Open `url` at a width in a colour scheme and return what the page says of itself."""
        target = await self.call("Target.createTarget", url="about:blank")
        attached = await self.call("Target.attachToTarget", flatten=True, **target)
        self.session = attached["sessionId"]
        for domain in ("Page", "Network", "Runtime", "Log"):
            await self.call(f"{domain}.enable")
        size = {"width": width, "height": 844, "deviceScaleFactor": 1, "mobile": False}
        await self.call("Emulation.setDeviceMetricsOverride", **size)
        preference = {"name": "prefers-color-scheme", "value": scheme}
        await self.call("Emulation.setEmulatedMedia", features=[preference])
        await self.call("Page.navigate", url=url)
        while not any(event.get("method") == "Page.loadEventFired" for event in self.events):
            self.events.append(await self.receive())
        reply = await self.call(
            "Runtime.evaluate", expression=FACTS, awaitPromise=True, returnByValue=True
        )
        return reply["result"]["value"]


async def visit(endpoint, page, width, scheme):
    """Open one page of the book in a new tab and return its facts, requests and complaints."""
    socket = await websocket_connect(endpoint, max_message_size=2**26)
    tab = Tab(socket)
    facts = await tab.open(page.as_uri(), width, scheme)
    socket.close()
    named = [(event.get("method"), event.get("params")) for event in tab.events]
    requests = [p["request"]["url"] for name, p in named if name == "Network.requestWillBeSent"]
    complaints = [
        params
        for name, params in named
        if name == "Runtime.exceptionThrown"
        or (name == "Runtime.consoleAPICalled" and params["type"] in ("error", "warning"))
        or (name == "Log.entryAdded" and params["entry"]["level"] in ("error", "warning"))
    ]
    where = f"{page.relative_to(HTML)} at {width} px, {scheme}"
    return facts | {"where": where, "requests": requests, "complaints": complaints}


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    """Start a browser that can reach no other host; the address of its control socket."""
    profile = tmp_path_factory.mktemp("chromium")
    command = [CHROMIUM, "--headless=new", "--no-first-run", "--remote-debugging-port=0"]
    command += [f"--user-data-dir={profile}", "--host-resolver-rules=MAP * ~NOTFOUND"]
    command += ["--no-sandbox", "--disable-dev-shm-usage"]  # a container's root can start it too
    port_file = profile / "DevToolsActivePort"
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        asyncio.run(wait_until(lambda: port_file.is_file() and port_file.read_text().count("\n")))
        port, path = port_file.read_text().split()
        yield f"ws://127.0.0.1:{port}{path}"
        process.terminate()


async def wait_until(condition, seconds=60):
    """Return once `condition()` holds."""
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.05)


@pytest.fixture(scope="module")
def visits(browser):
    """Every page, as a phone shows it at night and a desktop by day."""
    pages = sorted(path for path in HTML.rglob("*.html") if "_static" not in path.parts)

    async def visit_all():
        return [
            await visit(browser, page, width, scheme)
            for page in pages
            for width, scheme in ((390, "dark"), (1280, "light"))
        ]

    return asyncio.run(visit_all())


def test_nothing_is_requested_from_another_host(visits):
    strangers = {
        (visit["where"], url)
        for visit in visits
        for url in visit["requests"]
        if not url.startswith((HTML.as_uri(), "data:"))
    }
    assert not strangers


def test_no_page_complains(visits):
    assert not {visit["where"]: visit["complaints"] for visit in visits if visit["complaints"]}


def test_no_image_is_broken(visits):
    assert not {visit["where"]: visit["broken"] for visit in visits if visit["broken"]}


def test_the_colour_scheme_is_followed(visits):
    assert all(visit["where"].endswith(visit["theme"]) for visit in visits)


def test_no_page_scrolls_sideways(visits):
    assert not {visit["where"]: visit["overflow"] for visit in visits if visit["overflow"]}


def test_formulas_are_rendered(visits):
    assert sum(visit["rendered"] for visit in visits) > 0
    unreadable = {v["where"] for v in visits if v["wrong"] or v["rendered"] != v["formulas"]}
    assert not unreadable
