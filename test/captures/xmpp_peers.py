"""Prosody and XMPP clients on the hosts of a lab."""
import asyncio
import threading

from lab import Host, Lab
from beds.ca import Authority
from beds.process import as_user, give_to, run
from clients.xmpp import XmppClient, ping
from clients.purple import Purple

CONFIG = """
pidfile = "{folder}/prosody.pid"
data_path = "{folder}/data"
log = {{ {{ levels = {{ min = "info" }}, to = "file", filename = "{folder}/prosody-server.log" }} }}
interfaces = {{ "{address}" }}
c2s_ports = {{ 5222 }}
s2s_ports = {{ }}
http_ports = {{ 5280 }}
http_interfaces = {{ "{address}" }}
https_ports = {{ }}
modules_enabled = {{ "roster"; "saslauth";{tls} "disco"; "ping"; "posix"; "bosh"; "websocket"; "smacks" }}
modules_disabled = {{ "s2s" }}
allow_unencrypted_plain_auth = true
consider_bosh_secure = true
consider_websocket_secure = true
authentication = "internal_hashed"
c2s_require_encryption = false
limits = {{ }}
ssl = {{ certificate = "{chain}"; key = "{key}" }}
VirtualHost "im.test"
Component "conference.im.test" "muc"
  muc_room_locking = false
"""
ROOM = "kitchen@conference.im.test"
USERS = {"alice": "alice-secret-71", "bob": "bob-secret-72"}


class Prosody:
    def __init__(self, lab: Lab, host: Host, users, tls: bool = False):
        (lab.folder / "ca").mkdir()
        self.authority = Authority(lab.folder / "ca")
        folder = lab.folder / "prosody"
        folder.mkdir()
        chain, key = self.authority.issue("prosody")
        (folder / "data").mkdir()
        config = folder / "prosody.cfg.lua"
        config.write_text(CONFIG.format(folder=folder, address=host.address, chain=chain, key=key,
                                        tls=' "tls";' if tls else ""))
        give_to("prosody", folder, folder / "data")
        for user, password in users.items():
            run(as_user("prosody", ["prosodyctl", "--config", config, "register", user, "im.test", password]), cwd=folder)
        lab.serve(host, "prosody", ["prosody", "-F", "--config", config], 5222, user="prosody")


class Slixmpp:
    """clients.xmpp.XmppClient in a thread of its own on a host, with calls that wait."""

    def __init__(self, host: Host, server: str, user: str, password: str, ca=None, mechanism: str = "PLAIN"):
        self.host, self.loop, self.client = host, None, None
        self._ready = threading.Event()
        threading.Thread(target=self._run, args=(server, user, password, ca, mechanism), daemon=True).start()
        self._ready.wait()
        self.call(self.client.sign_in())

    def _run(self, server, user, password, ca, mechanism):
        with self.host:
            self.loop = asyncio.new_event_loop()
            asyncio.set_event_loop(self.loop)

            class Client(XmppClient):
                def dial(self):
                    self.connect((server, 5222), use_ssl=False, force_starttls=bool(ca), disable_starttls=not ca)

            self.client = Client(user, password, 5222, ca)
            self.client.use_mechs = {mechanism}
            self.client["feature_mechanisms"].use_mechs = {mechanism}
            self.client["feature_mechanisms"].unencrypted_plain = True
            self.client["feature_mechanisms"].unencrypted_scram = True
            self._ready.set()
            self.loop.run_forever()

    def call(self, coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(60)

    def _do(self, function, *arguments, **named):
        async def do():
            return function(*arguments, **named)
        return self.call(do())

    def say(self, *arguments, **named):
        return self._do(self.client.say, *arguments, **named)

    def say_xml(self, *arguments, **named):
        return self._do(self.client.say_xml, *arguments, **named)

    def join(self, room, nick):
        self.call(self.client.join(room, nick))

    def until(self, text, **fields):
        return self.call(self.client.until_text(text, **fields))

    def quit(self):
        self.call(ping(self.client))
        self.call(self.client.sign_out())


def purple_jabber(lab: Lab, host: Host, server: str, user: str, password: str, **settings) -> Purple:
    folder = lab.folder / f"purple-{user}"
    folder.mkdir()
    with host:
        client = Purple(folder, "prpl-jabber", f"{user}@im.test/purple", password, connect_server=server,
                        **{"auth_plain_in_clear": True, "connection_security": "opportunistic_tls", **settings})
    client.until("signed-on")
    return client
