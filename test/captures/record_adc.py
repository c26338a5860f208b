"""Direct Connect by ADC: uhub and EiskaltDC++'s daemon."""
from beds.process import wait_until
from recording import recording

FAVORITES = """<?xml version="1.0" encoding="utf-8" standalone="yes"?>
<Favorites><Hubs><Hub Name="lab" Connect="1" Description="" Nick="{nick}" Password="" Server="adc://{address}:1511" UserDescription=""/></Hubs></Favorites>
"""
SETTINGS = """<?xml version="1.0" encoding="utf-8" standalone="yes"?>
<DCPlusPlus><Settings><Nick type="string">{nick}</Nick><UseDHT type="int">0</UseDHT><IncomingConnections type="int">1</IncomingConnections></Settings></DCPlusPlus>
"""


@recording
def directconnect_adc(lab, truth):
    """uhub 0.4 and two EiskaltDC++ 2.4 daemons that sign in to it"""
    server, one, two = lab.host(), lab.host(), lab.host()
    config = lab.folder / "uhub.conf"
    config.write_text(f'server_port = 1511\nserver_bind_addr = "{server.address}"\nhub_name = "lab"\ntls_enable = no\n')
    lab.serve(server, "uhub", ["uhub", "-c", config], 1511)
    truth.application("DirectConnect", "p2p")
    with lab.capturing():
        for host, nick in ((one, "anna"), (two, "bjorn")):
            home = lab.folder / nick
            home.mkdir()
            (home / "Favorites.xml").write_text(FAVORITES.format(nick=nick, address=server.address))
            (home / "DCPlusPlus.xml").write_text(SETTINGS.format(nick=nick))
            lab.start(host, nick, ["eiskaltdcpp-daemon", "-v", "-c", home, "-l", home])
        wait_until(lambda: (lab.folder / "all.pcap").read_bytes().count(b"NIbjorn") > 1, "both in the hub", 20, 0.2)
        for program in lab.programs[1:]:
            program.stop(3)
