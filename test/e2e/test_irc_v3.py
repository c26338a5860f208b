"""IRCv3 through the gateway: SASL PLAIN (InspIRCd with Atheme), echo-message, labeled-response, batch, server-time,
message ids and the history that InspIRCd plays on JOIN."""
import base64
import contextlib
import shutil
import uuid

import pytest

from beds.atheme import PROGRAM, Atheme
from beds.gateway import Gateway
from beds.inspircd import Inspircd
from clients.line_irc import LineIrc
from conftest import _let_servers_in
from test_irc import mark, one

ALL = ("message-tags", "server-time", "batch", "echo-message", "labeled-response", "account-tag")


@pytest.fixture(scope="module")
def gateway(tmp_path_factory, authority):
    if not shutil.which("inspircd"):
        pytest.skip("inspircd is not installed")
    folder = tmp_path_factory.mktemp("inspircd")
    _let_servers_in(folder)
    server = Inspircd(folder, authority)
    services = Atheme(folder, server) if shutil.which(PROGRAM) else None
    gateway = Gateway(tmp_path_factory.mktemp("gateway"), authority)
    gateway.listen("direct", "irc", "direct", server.direct_port, "direct", network="irc")
    try:
        server.start()
        if services:
            services.start()
        gateway.start()
        gateway.has_services = bool(services)
        yield gateway
        assert gateway.stop() == 0, gateway.process.tail()
    finally:
        gateway.stop()
        if services:
            services.stop()
        server.stop()


@contextlib.contextmanager
def connected(gateway, *nicks):
    clients = [LineIrc(f"{nick}{uuid.uuid4().hex[:5]}", gateway.ports["direct"], gateway.authority.ca) for nick in nicks]
    try:
        yield clients if len(clients) > 1 else clients[0]
    finally:
        for client in clients:
            client.quit()


def registered(gateway, client, password):
    """Makes an account named like the client's nick, through the gateway, as a person would."""
    if not gateway.has_services:
        pytest.skip("atheme-services is not installed")

    def answered(line):
        return line.command == "NOTICE" and line.nick == "NickServ" and "registered" in line.params[-1]
    # Services may still be joining the network.
    for _ in range(200):
        client.send(f"PRIVMSG NickServ :REGISTER {password} {client.nick}@im.test")
        line = client.until("an answer of NickServ", lambda l: l.command == "401" or answered(l))
        if line.command != "401":
            return client.nick
        client.lines.clear()
        client.ping()
    raise AssertionError("services never came")


def sign_ins(gateway, nick):
    return [r for r in gateway.records() if r["kind"] == "sign_in" and r["from"] == nick]


def test_sasl_plain_passes_and_the_account_is_on_the_record(gateway):
    password = f"pw{uuid.uuid4().hex}"
    with connected(gateway, "ann", "ben", "cyn") as (ann, ben, cyn):
        ann.sign_in()
        account = registered(gateway, ann, password)
        offered = ben.sign_in("sasl", account=account, password=password)
        assert "PLAIN" in offered["sasl"].split(",") and "EXTERNAL" not in offered["sasl"], offered
        assert ben.until_command("903") and ben.until("900", lambda l: l.command == "900").params[2] == account
        cyn.sign_in("sasl", account=account, password=password + "x")
        assert cyn.until("904", lambda l: l.command == "904") and not [l for l in cyn.lines if l.command == "903"]
        for client in (ann, ben, cyn):
            client.ping()
    signed = [r for r in sign_ins(gateway, ben.nick) if r["accepted"]]
    assert [(r["detail"], r["origin_id"]) for r in signed] == [("PLAIN", account)], signed
    # A wrong password is a sign-in that was not accepted; the server lets the person in all the same, without an account.
    outcomes = [(r["accepted"], r.get("detail"), r.get("origin_id")) for r in gateway.records()
                if r["kind"] == "sign_in" and (r["from"] == cyn.nick or not r["accepted"])]
    assert outcomes == [(False, "PLAIN", None), (True, None, None)], outcomes
    # The password is nowhere, neither in clear nor as SASL carries it.
    for secret in (password, base64.b64encode(f"{account}\0{account}\0{password}".encode()).decode()):
        assert secret not in str(gateway.records())
        for path in gateway.folder.rglob("*"):
            if path.is_file():
                assert secret.encode() not in path.read_bytes(), path


def test_external_is_answered_by_the_gateway_and_plain_still_works_after_it(gateway):
    password = f"pw{uuid.uuid4().hex}"
    with connected(gateway, "ann", "ben") as (ann, ben):
        ann.sign_in()
        account = registered(gateway, ann, password)
        ben.send("CAP REQ :sasl", "AUTHENTICATE EXTERNAL")
        assert ben.until("904", lambda l: l.command == "904")
        ben.sign_in("sasl", account=account, password=password)
        ben.until_command("903")


def test_an_echoed_message_is_one_record_with_label_id_and_time(gateway):
    text, room = mark("echo"), f"#e{uuid.uuid4().hex[:6]}"
    with connected(gateway, "ann", "ben", "cyn") as people:
        ann, ben, cyn = people
        ann.sign_in(*ALL)
        ben.sign_in("message-tags", "server-time")
        cyn.sign_in()
        for person in people:
            person.send(f"JOIN {room}")
            person.until_command("366", room, "End of /NAMES list.")
        ann.send(f"@label=l1;+example=kept PRIVMSG {room} :{text}")
        for person in people:
            person.until("the message", lambda l: l.command == "PRIVMSG" and l.params == [room, text])
            person.ping()
        [echo], [tagged], [plain] = (person.heard(text) for person in people)
        assert echo.tags["label"] == "l1" and echo.tags["msgid"] == tagged.tags["msgid"]
        assert tagged.tags["+example"] == "kept" and tagged.tags["time"] and "label" not in tagged.tags
        assert plain.tags == {} and {l.nick for l in (echo, tagged, plain)} == {ann.nick}
    record = one(gateway.said(text), text)
    assert (record["from"], record["room"], record["to"]) == (ann.nick, room, [])
    assert record["origin_id"] == "l1" and sorted(record["present"]) == sorted(p.nick for p in people)
    delivered = gateway.deliveries_of(record, 3)  # the echo is a leg too
    assert sorted(d["to"][0] for d in delivered) == sorted(p.nick for p in people), delivered


def test_a_refused_message_answers_its_label_and_has_no_echo(gateway):
    text, room = mark("refuse-me-now"), f"#r{uuid.uuid4().hex[:6]}"
    with connected(gateway, "ann", "ben") as (ann, ben):
        for person in (ann, ben):
            person.sign_in(*ALL)
            person.send(f"JOIN {room}")
            person.until_command("366", room, "End of /NAMES list.")
        ann.send(f"@label=r1 PRIVMSG {room} :{text}", f"@label=r2 PRIVMSG {ben.nick} :{text}")
        answers = [ann.until(label, lambda l, label=label: l.tags.get("label") == label) for label in ("r1", "r2")]
        assert answers[0].command == "404" and answers[0].params[1] == room, answers[0]
        assert answers[1].command in ("FAIL", "NOTICE") and "policy" in answers[1].params[-1], answers[1]
        ann.ping()
        ben.ping()
        assert not ann.heard(text) and not ben.heard(text)
    records = gateway.said(text)
    assert [(r["verdict"], r["room"], r["to"]) for r in records] == [("refuse", room, []), ("refuse", None, [ben.nick])]
    assert not [d for r in records for d in gateway.deliveries_of(r, 0)]


def test_an_answer_in_a_batch_passes_whole(gateway):
    with connected(gateway, "ann", "ben") as (ann, ben):
        ann.sign_in(*ALL)
        ben.sign_in()
        ann.send(f"@label=w1 WHOIS {ben.nick}")
        start = ann.until("the batch", lambda l: l.command == "BATCH" and l.params[0].startswith("+"))
        name = start.params[0][1:]
        ann.until_command("BATCH", "-" + name)
        inside = [l.command for l in ann.lines if l.tags.get("batch") == name]
        assert start.params[1] == "labeled-response" and start.tags["label"] == "w1"
        assert inside[0] == "311" and inside[-1] == "318", inside


def test_played_history_makes_no_second_record(gateway):
    words, room = [mark(f"line {n}") for n in range(5)], f"#h{uuid.uuid4().hex[:6]}"
    with connected(gateway, "ann", "ben", "cyn") as (ann, ben, cyn):
        for person in (ann, ben):
            person.sign_in()
            person.send(f"JOIN {room}")
            person.until_command("366", room, "End of /NAMES list.")
        ann.send(f"MODE {room} +H 20:1h")
        ann.until("the mode", lambda l: l.command == "MODE" and l.params[:2] == [room, "+H"])
        ben.until("the mode", lambda l: l.command == "MODE" and l.params[:2] == [room, "+H"])
        for number, text in enumerate(words):
            (ann, ben)[number % 2].send(f"PRIVMSG {room} :{text}")
            (ben, ann)[number % 2].until(text, lambda l, text=text: l.params[-1:] == [text])
        cyn.sign_in("batch", "server-time", "message-tags")
        cyn.send(f"JOIN {room}")
        batch = cyn.until("the history", lambda l: l.command == "BATCH" and l.params[1:2] == ["chathistory"])
        cyn.until("its end", lambda l: l.command == "BATCH" and l.params[0] == "-" + batch.params[0][1:])
        assert [l.params[-1] for l in cyn.lines if l.tags.get("batch") == batch.params[0][1:] and l.command == "PRIVMSG"] == words
        for person in (ann, ben, cyn):
            person.ping()
    said = [r for r in gateway.records() if r["kind"] == "message" and r["room"] == room]
    assert [(r["text"], r["from"]) for r in said] == [(text, (ann, ben)[n % 2].nick) for n, text in enumerate(words)], said
    for number, record in enumerate(said):
        delivered = gateway.deliveries_of(record, 2)
        live = [d["to"] for d in delivered if not d.get("matched_copy")]
        late = [d["to"] for d in delivered if d.get("matched_copy")]
        assert live == [[(ben, ann)[number % 2].nick]] and late == [[cyn.nick]], delivered
