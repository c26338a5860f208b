"""Prosody 0.12 on loopback."""
import pathlib

from .process import Process, as_user, free_port, give_to, run

CONFIG = """
pidfile = "{folder}/prosody.pid"
data_path = "{folder}/data"
log = {{ {{ levels = {{ min = "info" }}, to = "file", filename = "{folder}/prosody-server.log" }} }}
interfaces = {{ "127.0.0.1" }}
local_interfaces = {{ "127.0.0.1" }}
c2s_ports = {{ {starttls} }}
c2s_direct_tls_ports = {{ {direct} }}
s2s_ports = {{ }}
http_ports = {{ }}
https_ports = {{ }}
modules_enabled = {{ "roster"; "saslauth"; "tls"; "disco"; "carbons"; "mam"; "smacks"; "ping"; "register"; "offline"; "posix"; "blocklist"; "pep"; "csi_simple" }}
modules_disabled = {{ "s2s" }}
allow_unencrypted_plain_auth = true
authentication = "internal_hashed"
storage = "internal"
c2s_require_encryption = {require}
smacks_hibernation_time = 120
-- The gateway's loopback address is everybody's address.
limits = {{ }}
ssl = {{ certificate = "{chain}"; key = "{key}"{protocol} }}
VirtualHost "im.test"
Component "conference.im.test" "muc"
  modules_enabled = {{ "muc_mam" }}
  muc_room_default_public = true
  muc_room_locking = false
"""


class Prosody:
    name = "prosody"
    muc = "conference.im.test"

    def __init__(self, folder: pathlib.Path, authority, require_encryption: bool = True, channel_binding: bool = False):
        """`channel_binding`: as far as 0.12 can, which is tls-unique under TLS 1.2."""
        self.folder = folder
        self.starttls_port, self.direct_port = free_port(), free_port()
        chain, key = authority.issue("prosody")
        (folder / "data").mkdir()
        self.config = folder / "prosody.cfg.lua"
        self.config.write_text(CONFIG.format(folder=folder, starttls=self.starttls_port, direct=self.direct_port,
                                             chain=chain, key=key, require=str(require_encryption).lower(),
                                             protocol="; protocol = \"tlsv1_2\"" if channel_binding else ""))
        give_to("prosody", folder, folder / "data")
        self.process = None

    def start(self, users):
        for user, password in users.items():
            self.register(user, password)
        self.process = Process(["prosody", "-F", "--config", self.config], self.folder, "prosody", user="prosody")
        self.process.await_port(self.starttls_port)
        self.process.await_port(self.direct_port)
        return self

    def register(self, user: str, password: str):
        run(as_user("prosody", ["prosodyctl", "--config", self.config, "register", user, "im.test", password]), cwd=self.folder)

    def stop(self):
        if self.process:
            self.process.stop()
