"""InspIRCd 3.15 on loopback with the IRCv3 modules."""
import pathlib

from .process import Process, free_port

MODULES = ["ssl_gnutls", "cap", "ircv3", "ircv3_batch", "ircv3_servertime", "ircv3_msgid", "ircv3_echomessage",
           "ircv3_labeledresponse", "ircv3_ctctags", "ircv3_capnotify", "ircv3_chghost", "ircv3_accounttag",
           "ircv3_invitenotify", "namesx", "uhnames", "chanhistory", "setname", "standardreplies",
           "spanningtree", "services_account", "svshold", "sasl"]

SERVICES_NAME, SERVICES_PASSWORD = "services.im.test", "between-servers"

CONFIG = """
<server name="irc.im.test" description="Test bed" network="TestNet" id="1AA">
<admin name="Test" nick="test" email="test@im.test">
<bind address="127.0.0.1" port="{plain}" type="clients">
<bind address="127.0.0.1" port="{direct}" type="clients" sslprofile="bed">
<bind address="127.0.0.1" port="{services}" type="servers">
<link name="{services_name}" ipaddr="127.0.0.1" port="{services}" allowmask="127.0.0.0/8"
      sendpass="{services_password}" recvpass="{services_password}">
<uline server="{services_name}">
<sasl target="{services_name}" requiressl="no">
<sslprofile name="bed" provider="gnutls" certfile="{chain}" keyfile="{key}">
<connect allow="*" timeout="60" pingfreq="3600" hardsendq="10M" softsendq="10M" recvq="1M" localmax="2000" globalmax="2000"
         threshold="100000" commandrate="1000000" fakelag="no" resolvehostnames="no" useident="no" maxchans="100">
<performance softlimit="20000" somaxconn="512" netbuffersize="65536" quietbursts="yes">
<security hidewhois="" maxtargets="20">
<options defaultmodes="not" prefixquit="Quit: ">
<log method="file" type="* -USERINPUT -USEROUTPUT" level="default" target="{folder}/inspircd-server.log">
<pid file="{folder}/inspircd.pid">
{modules}
"""


class Inspircd:
    name = "inspircd"

    def __init__(self, folder: pathlib.Path, authority):
        self.folder = folder
        self.plain_port, self.direct_port, self.services_port = free_port(), free_port(), free_port()
        chain, key = authority.issue("inspircd")
        present = [m for m in MODULES if pathlib.Path(f"/usr/lib/inspircd/modules/m_{m}.so").exists()]
        self.config = folder / "inspircd.conf"
        self.config.write_text(CONFIG.format(folder=folder, plain=self.plain_port, direct=self.direct_port,
                                             services=self.services_port, services_name=SERVICES_NAME, services_password=SERVICES_PASSWORD,
                                             chain=chain, key=key,
                                             modules="\n".join(f'<module name="{m}">' for m in present)))
        self.process = None

    def start(self, users=None):
        self.process = Process(["inspircd", "--nofork", "--runasroot", "--config", self.config], self.folder, "inspircd")
        self.process.await_port(self.plain_port)
        self.process.await_port(self.direct_port)
        return self

    def stop(self):
        if self.process:
            self.process.stop()
