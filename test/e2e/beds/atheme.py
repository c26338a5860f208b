"""Atheme on loopback: the services that give InspIRCd accounts and SASL PLAIN."""
import pathlib

from .inspircd import SERVICES_NAME, SERVICES_PASSWORD
from .process import Process

PROGRAM = "atheme-services"

CONFIG = """
loadmodule "modules/protocol/inspircd";
loadmodule "modules/backend/opensex";
loadmodule "modules/crypto/pbkdf2v2";
loadmodule "modules/nickserv/main";
loadmodule "modules/nickserv/register";
loadmodule "modules/saslserv/main";
loadmodule "modules/saslserv/plain";
loadmodule "modules/saslserv/external";
serverinfo {{
  name = "{name}"; desc = "Services"; numeric = "00A"; netname = "TestNet"; adminname = "Test";
  adminemail = "test@im.test"; registeremail = "test@im.test"; auth = none; casemapping = "ascii";
}};
general {{ commit_interval = 60; }};
uplink "irc.im.test" {{ host = "127.0.0.1"; port = {port}; send_password = "{password}"; receive_password = "{password}"; }};
nickserv {{ nick = "NickServ"; }};
saslserv {{ nick = "SaslServ"; }};
"""


class Atheme:
    """The services of `server` (an Inspircd that is started)."""

    def __init__(self, folder: pathlib.Path, server):
        self.folder = folder
        self.config = folder / "atheme.conf"
        self.config.write_text(CONFIG.format(name=SERVICES_NAME, port=server.services_port, password=SERVICES_PASSWORD))
        (folder / "services.db").touch()
        self.process = None

    def start(self):
        self.process = Process([PROGRAM, "-n", "-c", self.config, "-l", self.folder / "atheme-services.log",
                                "-p", self.folder / "atheme.pid", "-D", self.folder], self.folder, "atheme")
        return self

    def stop(self):
        if self.process:
            self.process.stop()
