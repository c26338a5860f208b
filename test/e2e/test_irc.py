"""IRC through the gateway: python3-irc and weechat against ngircd and inspircd."""
import contextlib
import uuid

from clients.irc_client import IrcClient


def mark(word: str) -> str:
    return f"{word} {uuid.uuid4().hex[:12]}"


@contextlib.contextmanager
def signed_in(gateway, *nicks, listener="direct", caps=()):
    clients = []
    try:
        for nick in nicks:
            ca = gateway.authority.ca if listener == "direct" else None
            clients.append(IrcClient(f"{nick}{uuid.uuid4().hex[:5]}", gateway.ports[listener], ca, caps))
        yield clients if len(clients) > 1 else clients[0]
    finally:
        for client in clients:
            client.quit()


def one(records, text):
    assert len(records) == 1, f"{text!r} is {len(records)} times in the archive: {records}"
    return records[0]


def test_a_channel_message_is_recorded_once_with_who_was_there(irc_gateway):
    for listener in ("direct", "plain"):
        text, channel = mark("channel"), f"#c{uuid.uuid4().hex[:6]}"
        with signed_in(irc_gateway, "ann", "ben", "cyn", listener=listener) as (ann, ben, cyn):
            for client in (ann, ben, cyn):
                client.join(channel)
            ann.connection.privmsg(channel, text)
            ben.until_text(text)
            cyn.until_text(text)
            for client in (ann, ben, cyn):
                client.ping()
            names = {ann.nick, ben.nick, cyn.nick}
            sender = ann.nick
        record = one(irc_gateway.said(text), text)
        assert record["room"] == channel and record["from"] == sender and record["direction"] == "out"
        delivered = irc_gateway.deliveries_of(record, 2)
        assert len(delivered) == 2, delivered
        assert {str(d["to"]).strip("[]'") for d in delivered} == names - {sender}


def test_a_query_to_several_targets_is_one_record_each(irc_gateway):
    text = mark("query")
    with signed_in(irc_gateway, "ann", "ben", "cyn") as (ann, ben, cyn):
        ann.connection.privmsg_many([ben.nick, cyn.nick], text)
        ben.until_text(text, "privmsg")
        cyn.until_text(text, "privmsg")
        for client in (ann, ben, cyn):
            client.ping()
        expected = sorted([ben.nick, cyn.nick])
    records = irc_gateway.said(text)
    assert sorted(r["to"] for r in records) == [[nick] for nick in expected]
    for record in records:
        assert record["room"] is None and [d["to"] for d in irc_gateway.deliveries_of(record)] == [record["to"]]


def test_what_is_said_in_turns_is_on_the_record_in_that_order(irc_gateway):
    channel, words = f"#c{uuid.uuid4().hex[:6]}", [mark(f"turn {n}") for n in range(20)]
    with signed_in(irc_gateway, "ann", "ben", "cyn") as people:
        for client in people:
            client.join(channel)
        for turn, text in enumerate(words):
            people[turn % 3].connection.privmsg(channel, text)
            for client in people:
                if client is not people[turn % 3]:
                    client.until_text(text)
        for client in people:
            client.ping()
        said = [(people[turn % 3].nick, text) for turn, text in enumerate(words)]
        for client in people:  # each heard the others, each line once, in order
            heard = [(e.source.nick, e.arguments[0]) for e in client.events if e.type == "pubmsg"]
            assert heard == [line for line in said if line[0] != client.nick]
    records = [r for r in irc_gateway.records() if r["kind"] == "message" and r["room"] == channel]
    assert [(r["from"], r["text"]) for r in records] == said
    assert [r["sequence"] for r in records] == sorted(r["sequence"] for r in records)
    for record in records:
        assert sorted(d["to"][0] for d in irc_gateway.deliveries_of(record, 2)) == sorted({p.nick for p in people} - {record["from"]})


def test_action_notice_topic_nick_and_kick_are_read(irc_gateway):
    text, channel = mark("deed"), f"#c{uuid.uuid4().hex[:6]}"
    with signed_in(irc_gateway, "ann", "ben") as (ann, ben):
        ann.join(channel)
        ben.join(channel)
        ann.connection.action(channel, text)
        ben.until(lambda: ben.saw("action", text), "action")
        ann.connection.notice(channel, text + " notice")
        ben.until_text(text + " notice", "pubnotice")
        ann.connection.topic(channel, text + " topic")
        ben.until(lambda: ben.saw("topic", text + " topic"), "topic")
        renamed = f"z{uuid.uuid4().hex[:7]}"
        ben.connection.nick(renamed)
        ann.until(lambda: any(e.type == "nick" and e.target == renamed for e in ann.events), "nick")
        ann.connection.kick(channel, renamed, text + " out")
        ben.until(lambda: ben.saw("kick"), "kick")
        ann.ping()
        ben.ping()
        was = ben.nick
    acted, noticed = one(irc_gateway.said(text), text), one(irc_gateway.said(text + " notice"), "notice")
    assert acted["action"] is True and "action" not in noticed
    for record in (acted, noticed):
        assert (record["from"], record["room"]) == (ann.nick, channel)
        assert [d["to"] for d in irc_gateway.deliveries_of(record)] == [[was]]
    seen = [r for r in irc_gateway.records() if r["room"] == channel]
    [topic] = [r for r in seen if r["kind"] == "topic" and not r.get("copy")]
    assert (topic["from"], topic["subject"]) == (ann.nick, text + " topic")
    assert {r["from"] for r in seen if r["kind"] == "join"} == {ann.nick, was}
    # The words of the kick are judged, so its record is that of who kicked; the server's lines about it may follow.
    assert {(r["from"], tuple(r["to"])) for r in seen if r["kind"] == "leave" and text + " out" in str(r)} == {(renamed, (ann.nick,))}
    assert {(r["from"], r["detail"]) for r in irc_gateway.records() if r["kind"] == "nick" and r["detail"] == renamed} == {(was, renamed)}


def test_a_refused_message_reaches_nobody_and_its_sender_is_told(irc_gateway):
    text, channel = mark("refuse-me-now"), f"#c{uuid.uuid4().hex[:6]}"
    with signed_in(irc_gateway, "ann", "ben") as (ann, ben):
        ann.join(channel)
        ben.join(channel)
        before = len(ann.events)
        ann.connection.privmsg(channel, text)
        ann.connection.privmsg(channel, text.replace("refuse-me-now", "after"))
        ben.until_text(text.replace("refuse-me-now", "after"))
        assert not ben.saw("pubmsg", text)
        ann.ping()
        told = [e for e in ann.events[before:] if e.type in ("cannotsendtochan", "privnotice", "pubnotice", "all_raw_messages") and "olicy" in str(e.arguments)]
        assert told, [(e.type, e.arguments) for e in ann.events[before:]]
    record = one(irc_gateway.said(text), text)
    assert record["verdict"] == "refuse" and record["rule"] and not irc_gateway.deliveries_of(record, 0)


def test_a_redacted_message_is_masked_on_the_wire_and_whole_on_the_record(irc_gateway):
    text, channel = mark("codename redact-me-now today"), f"#c{uuid.uuid4().hex[:6]}"
    with signed_in(irc_gateway, "ann", "ben") as (ann, ben):
        ann.join(channel)
        ben.join(channel)
        ann.connection.privmsg(channel, text)
        ben.until(lambda: any(e.type == "pubmsg" and e.arguments[0].endswith(text[-12:]) for e in ben.events), "masked message")
        seen = next(e.arguments[0] for e in ben.events if e.type == "pubmsg")
        assert "redact-me-now" not in seen
        ben.ping()
    record = one(irc_gateway.said(text), text)
    assert record["verdict"] == "redact" and len(irc_gateway.deliveries_of(record)) == 1


def test_passwords_are_nowhere(irc_gateway):
    secret = f"pw{uuid.uuid4().hex}"
    with signed_in(irc_gateway, "ann") as ann:
        ann.connection.privmsg("NickServ", f"IDENTIFY {secret}")
        ann.connection.oper("root", secret)
        ann.ping()
    for path in irc_gateway.folder.rglob("*"):
        if path.is_file():
            assert secret.encode() not in path.read_bytes(), path
    assert not [r for r in irc_gateway.records() if secret in str(r)]
