"""ejabberd 23 on loopback, without ejabberdctl (which takes the system's configuration and listens everywhere)."""
import glob
import os
import pathlib
import subprocess
import uuid

from .process import Process, free_port, give_to, wait_until

CONFIG = """
hosts: [im.test]
loglevel: warning
certfiles: [{folder}/ejabberd.pem]
ca_file: {ca}
auth_method: internal
auth_password_format: scram
disable_sasl_mechanisms: [{disabled}]
listen:
  - {{port: {starttls}, ip: 127.0.0.1, module: ejabberd_c2s, starttls_required: true, max_stanza_size: 262144, shaper: none, access: all}}
  - {{port: {direct}, ip: 127.0.0.1, module: ejabberd_c2s, tls: true, max_stanza_size: 262144, shaper: none, access: all}}
acl: {{local: {{user_regexp: ''}}}}
access_rules: {{local: {{allow: local}}}}
modules:
  mod_roster: {{}}
  mod_disco: {{}}
  mod_ping: {{}}
  mod_carboncopy: {{}}
  mod_offline: {{}}
  mod_blocking: {{}}
  mod_privacy: {{}}
  mod_caps: {{}}
  mod_mam: {{default: always, assume_mam_usage: false}}
  mod_stream_mgmt: {{resume_timeout: 120}}
  mod_muc: {{host: conference.im.test, default_room_options: {{mam: true, persistent: false}}}}
"""


BINDING = ["SCRAM-SHA-1-PLUS", "SCRAM-SHA-256-PLUS", "SCRAM-SHA-512-PLUS"]


class Ejabberd:
    name = "ejabberd"
    muc = "conference.im.test"

    def __init__(self, folder: pathlib.Path, authority, channel_binding: bool = False):
        self.folder = folder
        self.starttls_port, self.direct_port = free_port(), free_port()
        chain, key = authority.issue("ejabberd")
        pem = folder / "ejabberd.pem"
        pem.write_bytes(chain.read_bytes() + key.read_bytes())
        self.config = folder / "ejabberd.yml"
        self.config.write_text(CONFIG.format(folder=folder, ca=authority.ca, starttls=self.starttls_port, direct=self.direct_port,
                                             disabled=", ".join(["digest-md5", "X-OAUTH2"] + ([] if channel_binding else BINDING))))
        (folder / "db").mkdir()
        give_to("ejabberd", folder, folder / "db", pem, self.config)
        # Names of Erlang nodes are known machine-wide through epmd, so two runs must not share one.
        self.node = f"e{uuid.uuid4().hex[:12]}@localhost"
        self.process = None

    def _environment(self):
        return {"HOME": str(self.folder), "EJABBERD_CONFIG_PATH": str(self.config), "EJABBERD_LOG_PATH": str(self.folder / "ejabberd-server.log"),
                "ERL_CRASH_DUMP": str(self.folder / "crash.dump"), "ERL_EPMD_ADDRESS": "127.0.0.1"}

    def start(self, users):
        ebin = glob.glob("/usr/lib/*/ejabberd-*/ebin") + glob.glob("/usr/lib/*/ejabberd-*/lib/*/ebin")
        libs = glob.glob("/usr/lib/erlang/lib/*/ebin") + glob.glob("/usr/lib/*/erlang/lib/*/ebin")
        argv = ["erl", "-noinput", "-sname", self.node, "-pa", *ebin, *libs,
                "-mnesia", "dir", f'"{self.folder}/db"', "-kernel", "inet_dist_use_interface", "{127,0,0,1}", "-s", "ejabberd"]
        self.process = Process(argv, self.folder, "ejabberd", env=self._environment(), user="ejabberd")
        self.process.await_port(self.starttls_port)
        self.process.await_port(self.direct_port)
        for user, password in users.items():
            self.register(user, password)
        return self

    def register(self, user: str, password: str):
        cookie = (self.folder / ".erlang.cookie").read_text()
        # The arguments are the test's own fixed names; they stand in Erlang code.
        call = (f"erlang:set_cookie(list_to_atom(\"{cookie}\")), "
                f"ok = rpc:call('{self.node}', ejabberd_auth, try_register, [<<\"{user}\">>, <<\"im.test\">>, <<\"{password}\">>]), halt().")
        def registered():
            # The port opens before the account table is there.
            argv = ["erl", "-noinput", "-sname", f"r{uuid.uuid4().hex[:12]}@localhost", "-eval", call]
            return subprocess.run(argv, cwd=self.folder, env=dict(os.environ, **self._environment()), capture_output=True, timeout=60).returncode == 0
        wait_until(registered, f"the account {user}", 60, 0.2)

    def stop(self):
        if self.process:
            self.process.stop()
