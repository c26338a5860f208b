"""jabberd2 2.7 on loopback: router, session manager and client connector, with an SQLite store."""
import glob
import gzip
import pathlib
import re
import sqlite3
import subprocess

import pytest

from .process import Process, free_port, give_to

COMPONENT = """
  <id>{id}</id>
  <pidfile>{folder}/{id}.pid</pidfile>
  <router><ip>127.0.0.1</ip><port>{router}</port><user>jabberd</user><pass>bed-only</pass>
    <retry><init>50</init><lost>3</lost><sleep>1</sleep></retry></router>
  <log type='stdout'/>
"""
SQLITE = "<sqlite><dbname>{folder}/store.db</dbname><busy-timeout>2000</busy-timeout></sqlite>"
ROUTER = """<router>
  <id>router</id><pidfile>{folder}/router.pid</pidfile><log type='stdout'/>
  <local><ip>127.0.0.1</ip><port>{router}</port><users>{folder}/router-users.xml</users><secret>bed-only</secret></local>
  <io><max_fds>1024</max_fds><limits><bytes>0</bytes><connects>0</connects></limits><access><order>allow,deny</order></access></io>
  <aliases/><aci><acl type='all'><user>jabberd</user></acl><filter>{folder}/router-filter.xml</filter></aci>
</router>"""
C2S = """<c2s>""" + COMPONENT + """
  <local><id realm='im.test' pemfile='{pem}' require-starttls='true' register-enable='false'>im.test</id>
    <ip>127.0.0.1</ip><port>{c2s}</port></local>
  <io><max_fds>1024</max_fds><limits><bytes>0</bytes><stanzas>0</stanzas><connects>0</connects><stanzasize>262144</stanzasize></limits>
    <access><order>allow,deny</order></access><check><interval>0</interval><idle>0</idle><keepalive>0</keepalive></check></io>
  <authreg><path>{modules}</path><module>sqlite</module>
    <mechanisms><traditional/><sasl/></mechanisms>
    <ssl-mechanisms><traditional/><sasl><plain/></sasl></ssl-mechanisms>""" + SQLITE + """</authreg>
</c2s>"""
SM = """<sm>""" + COMPONENT + """
  <local><id>im.test</id></local>
  <storage><path>{modules}</path><driver>sqlite</driver>""" + SQLITE + """</storage>
  {module_chains}
  <discovery><identity><category>server</category><type>im</type><name>Test bed</name></identity></discovery>
</sm>"""


def _stock(name: str) -> str:
    """A file of /etc/jabberd2, which Debian lets root and jabberd2 read only."""
    path = pathlib.Path("/etc/jabberd2") / name
    try:
        return path.read_text()
    except PermissionError:
        done = subprocess.run(["sudo", "-n", "cat", path], capture_output=True, text=True)
        if done.returncode != 0:
            pytest.skip(f"{path} is for root's eyes only, and sudo asks for a password")
        return done.stdout


class Jabberd2:
    """STARTTLS only; one-to-one, roster and offline messages (no rooms, carbons, archive or stream management)."""
    name = "jabberd2"

    def __init__(self, folder: pathlib.Path, authority):
        self.folder = folder
        self.starttls_port, router = free_port(), free_port()
        chain, key = authority.issue("jabberd2")
        pem = folder / "jabberd2.pem"
        pem.write_bytes(chain.read_bytes() + key.read_bytes())
        # The module chains are long and the package's own are right: taken over as they are.
        stock = _stock("sm.xml")
        chains = re.search(r"<modules>.*?</modules>", stock, re.S).group(0)
        values = {"folder": folder, "router": router, "c2s": self.starttls_port, "pem": pem, "module_chains": chains,
                  "modules": glob.glob("/usr/lib/*/jabberd2")[0]}
        (folder / "router-users.xml").write_text("<users><user><name>jabberd</name><secret>bed-only</secret></user></users>")
        (folder / "router-filter.xml").write_text("<filter/>")
        for name, text in (("router", ROUTER), ("c2s", C2S), ("sm", SM)):
            (folder / f"{name}.xml").write_text(text.format(id=name, **values))
        self._router_port = router
        self.processes = []

    def _create_store(self, users):
        store = sqlite3.connect(self.folder / "store.db")
        store.executescript(gzip.open("/usr/share/doc/jabberd2/db-setup.sqlite.gz", "rt").read())
        for user, password in users.items():
            store.execute("INSERT INTO authreg (username, realm, password) VALUES (?, 'im.test', ?)", (user, password))
            store.execute('INSERT INTO active ("collection-owner", "time") VALUES (?, 1)', (f"{user}@im.test",))
        store.commit()
        store.close()

    def start(self, users):
        self._create_store(users)
        give_to("jabber", self.folder, *self.folder.iterdir())
        for name in ("router", "sm", "c2s"):
            process = Process([f"jabberd2-{name}", "-c", self.folder / f"{name}.xml"], self.folder, name, user="jabber")
            self.processes.append(process)
            if name == "router":
                process.await_port(self._router_port)
        sm, c2s = self.processes[1:]
        sm.await_that(lambda: "sm ready for sessions" in sm.tail(), "sessions")
        c2s.await_that(lambda: "ready for connections" in c2s.tail(), "connections")
        return self

    def stop(self):
        for process in reversed(self.processes):
            process.stop()
