#!/usr/bin/python3
"""An XMPP client over WebSocket (python3-nbxmpp, gajim's library), driven by lines as test/purple's is.

nbxmpp_client.py URL JID PASSWORD; `say TO TEXT`, `quit` → `signed-on`, `in FROM TEXT`.
"""
import sys

import gi
gi.require_version("Soup", "3.0")
from gi.repository import GLib  # noqa: E402
from nbxmpp.client import Client  # noqa: E402
from nbxmpp.const import ConnectionProtocol, ConnectionType, Mode  # noqa: E402
from nbxmpp.protocol import JID, Message, Presence  # noqa: E402
from nbxmpp.structs import StanzaHandler  # noqa: E402

url, jid, password = sys.argv[1:]
jid = JID.from_string(jid)
loop = GLib.MainLoop()
client = Client("captures")
client.set_domain(jid.domain)
client.set_username(jid.localpart)
client.set_password(password)
client.set_resource("web")
client.set_mode(Mode.CLIENT)
client.set_connection_types([ConnectionType.PLAIN])
client.set_protocols([ConnectionProtocol.WEBSOCKET])
client.set_custom_host(url, ConnectionProtocol.WEBSOCKET, ConnectionType.PLAIN)
client.set_mechs({"SCRAM-SHA-1", "PLAIN"})


def say(*words):
    print(*words, flush=True)


def on_connected(_client, _signal):
    client.send_stanza(Presence())
    say("signed-on")


def on_message(_client, stanza, properties):
    if properties.body:
        say("in", stanza.getFrom(), properties.body)


def on_line(_source, _condition):
    words = sys.stdin.readline().rstrip("\n").split(" ", 2)
    if words[0] == "say":
        client.send_stanza(Message(to=JID.from_string(words[1]), body=words[2], typ="chat"))
    else:
        client.disconnect()
    return words[0] == "say"


client.subscribe("connected", on_connected)
client.subscribe("disconnected", lambda *_: loop.quit())
client.subscribe("connection-failed", lambda *_: (say("error", client.get_error()), loop.quit()))
client.register_handler(StanzaHandler(name="message", callback=on_message, priority=50))
GLib.io_add_watch(0, GLib.PRIORITY_DEFAULT, GLib.IO_IN | GLib.IO_HUP, on_line)
client.connect()
loop.run()
