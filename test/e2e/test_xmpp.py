"""XMPP through the gateway with TLS on both sides: slixmpp against Prosody and ejabberd."""
import asyncio
import contextlib
import datetime
import uuid

from clients.xmpp import XmppClient, ping
from conftest import USERS


def mark(word: str) -> str:
    """A text that no other test says."""
    return f"{word} {uuid.uuid4().hex[:12]}"


@contextlib.asynccontextmanager
async def signed_in(gateway, *who, listener="starttls", **options):
    """Signed-in clients for names such as "alice" or "alice/two"."""
    clients = []
    try:
        for name in who:
            user, _, resource = name.partition("/")
            clients.append(await XmppClient(user, USERS[user], gateway.ports[listener], gateway.authority.ca, resource or "one",
                                            direct_tls=listener == "direct", **options).sign_in())
        yield clients if len(clients) > 1 else clients[0]
    finally:
        for client in clients:
            await client.sign_out()


def one(records, text):
    assert len(records) == 1, f"{text!r} is {len(records)} times in the archive: {records}"
    return records[0]


def test_one_to_one_is_recorded_once_with_its_parties_and_its_delivery(xmpp_gateway):
    text = mark("hello")
    for listener in ("starttls", "direct", "mixed"):
        said = f"{text} {listener}"

        async def scenario():
            async with signed_in(xmpp_gateway, "alice", "bob", listener=listener) as (alice, bob):
                alice.say("bob@im.test", said, id=f"id-{said[-20:].replace(' ', '-')}")
                await bob.until_text(said)
                await ping(bob)
        asyncio.run(scenario())
        record = one(xmpp_gateway.said(said), said)
        assert record["from"].startswith("alice@im.test") and record["to"] == ["bob@im.test"]
        assert record["direction"] == "out" and record["verdict"] == "forward" and record["protocol"] == "xmpp"
        delivered = xmpp_gateway.deliveries_of(record)
        assert [d["to"][0].partition("/")[0] if isinstance(d["to"], list) else d["to"].partition("/")[0] for d in delivered] == ["bob@im.test"]


def test_sign_in_accepted_and_refused_are_recorded_without_the_password(xmpp_gateway):
    async def scenario():
        async with signed_in(xmpp_gateway, "carol"):
            pass
        wrong = XmppClient("carol", "not-the-password", xmpp_gateway.ports["starttls"], xmpp_gateway.authority.ca)
        wrong.dial()
        await wrong.until(lambda: any(f[0] in ("failed_auth", "failed_all_auth") for f in wrong.failures if isinstance(f, tuple)), "refusal")
        await wrong.sign_out()
    asyncio.run(scenario())
    attempts = [r for r in xmpp_gateway.records() if r["kind"] == "sign_in" and "carol" in (r["from"] or "")]
    assert {r["accepted"] for r in attempts} == {True, False}
    for path in xmpp_gateway.folder.rglob("*"):
        if path.is_file():
            octets = path.read_bytes()
            assert b"not-the-password" not in octets and USERS["carol"].encode() not in octets, path


def test_roster_passes(xmpp_gateway):
    async def scenario():
        async with signed_in(xmpp_gateway, "alice") as alice:
            alice.update_roster("carol@im.test", name="Carol")
            await alice.until(lambda: alice.client_roster["carol@im.test"]["name"] == "Carol", "roster push")
    asyncio.run(scenario())


def test_a_room_of_three_knows_who_was_there(xmpp_gateway, xmpp_server):
    text = mark("room")
    room = f"room-{uuid.uuid4().hex[:8]}@{xmpp_server.muc}"

    async def scenario():
        async with signed_in(xmpp_gateway, "alice", "bob", "carol") as (alice, bob, carol):
            await alice.join(room, "al")
            await bob.join(room, "bo")
            await carol.join(room, "ca")
            await alice.until(lambda: "ca" in alice.plugin["xep_0045"].get_roster(room), "carol in the room")
            alice.say(room, text, kind="groupchat")
            for client in (alice, bob, carol):
                await client.until_text(text)
            alice.plugin["xep_0045"].set_subject(room, text + " subject")
            await carol.until(lambda: any(not isinstance(m, tuple) and m["subject"] == text + " subject" for m in carol.messages), "subject")
            bob.plugin["xep_0045"].leave_muc(room, "bo")
            await ping(bob)
            for client in (alice, bob, carol):
                await ping(client)
    asyncio.run(scenario())
    record = one(xmpp_gateway.said(text), text)
    assert record["room"] == room and record["from"].startswith("alice@im.test")
    delivered = xmpp_gateway.deliveries_of(record, 3)
    assert len(delivered) == 3, delivered
    kinds = [r["kind"] for r in xmpp_gateway.records() if r.get("room") == room]
    assert "join" in kinds and "leave" in kinds
    assert len([r for r in xmpp_gateway.records() if r["kind"] == "topic" and r["room"] == room and (r["text"] or r.get("subject")) == text + " subject"]) == 1


def test_correction_retraction_and_reaction_refer_to_what_they_change(xmpp_gateway):
    text = mark("draft")

    async def scenario():
        async with signed_in(xmpp_gateway, "alice", "bob") as (alice, bob):
            first = alice.say("bob@im.test", text)
            await bob.until_text(text)
            alice.say_xml("bob@im.test", "edit-" + first, f"<body xmlns='jabber:client'>{text} corrected</body>",
                          f"<replace xmlns='urn:xmpp:message-correct:0' id='{first}'/>")
            await bob.until_text(text + " corrected")
            alice.plugin["xep_0444"].send_reactions(bob.boundjid, first, {"👍"})
            alice.say_xml("bob@im.test", "gone-" + first, f"<apply-to xmlns='urn:xmpp:fasten:0' id='{first}'><retract xmlns='urn:xmpp:message-retract:0'/></apply-to>",
                          "<fallback xmlns='urn:xmpp:fallback:0'/>", f"<body xmlns='jabber:client'>{text} was retracted</body>")
            await bob.until_text(text + " was retracted")
            await ping(bob)
            return first
    first = asyncio.run(scenario())
    changes = {r["kind"]: r for r in xmpp_gateway.records() if r["ref"] == first}
    assert {"edit", "retraction", "reaction"} <= set(changes)
    assert changes["edit"]["text"] == text + " corrected"
    for change in (changes["edit"], changes["retraction"]):
        assert len(xmpp_gateway.deliveries_of(change)) == 1


def test_carbons_are_copies_and_not_messages(xmpp_gateway):
    text = mark("carbon")

    async def scenario():
        async with signed_in(xmpp_gateway, "alice", "alice/two", "bob") as (alice, second, bob):
            await second.plugin["xep_0280"].enable()
            alice.say("bob@im.test", text)
            await bob.until_text(text)
            await second.until(lambda: any(c["body"] == text for c in second.carbons), "carbon")
            bob.say("alice@im.test/one", text + " back")
            await alice.until_text(text + " back")
            await second.until(lambda: any(c["body"] == text + " back" for c in second.carbons), "carbon back")
            for client in (alice, second, bob):
                await ping(client)
    asyncio.run(scenario())
    for said in (text, text + " back"):
        record = one(xmpp_gateway.said(said), said)
        assert len(xmpp_gateway.deliveries_of(record, 2)) == 2


def test_an_archive_query_gives_deliveries_not_messages(xmpp_gateway):
    text = mark("archived")

    async def scenario():
        async with signed_in(xmpp_gateway, "alice", "bob") as (alice, bob):
            begin = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(seconds=1)
            alice.say("bob@im.test", text)
            await bob.until_text(text)
            results = await bob.plugin["xep_0313"].retrieve(with_jid="alice@im.test", start=begin, timeout=20)
            bodies = [r["mam_result"]["forwarded"]["stanza"]["body"] for r in results["mam"]["results"]]
            assert text in bodies, bodies
            await ping(bob)
    asyncio.run(scenario())
    record = one(xmpp_gateway.said(text), text)
    assert len(xmpp_gateway.deliveries_of(record, 2)) == 2
    assert not xmpp_gateway.said(text, kind="history")


def test_offline_delivery_refers_to_the_first_leg(xmpp_gateway):
    text = mark("offline")

    async def scenario():
        async with signed_in(xmpp_gateway, "alice") as alice:
            alice.say("dave@im.test", text)
            await ping(alice)
        async with signed_in(xmpp_gateway, "dave") as dave:
            await dave.until_text(text)
            await ping(dave)
    asyncio.run(scenario())
    record = one(xmpp_gateway.said(text), text)
    assert len(xmpp_gateway.deliveries_of(record)) == 1


def test_a_refused_message_reaches_nobody_and_its_sender_is_told(xmpp_gateway):
    text = mark("refuse-me-now")

    async def scenario():
        async with signed_in(xmpp_gateway, "alice", "bob") as (alice, bob):
            sent = alice.say("bob@im.test", text)
            await alice.until(lambda: any(not isinstance(f, tuple) and f["id"] == sent for f in alice.failures), "refusal")
            alice.say("bob@im.test", text.replace("refuse-me-now", "after"))
            await bob.until_text(text.replace("refuse-me-now", "after"))
            assert text not in bob.texts()
    asyncio.run(scenario())
    record = one(xmpp_gateway.said(text), text)
    assert record["verdict"] == "refuse" and record["rule"] and record["policy_revision"]
    assert not xmpp_gateway.deliveries_of(record, 0)


def test_a_redacted_message_is_masked_on_the_wire_and_whole_on_the_record(xmpp_gateway):
    text = mark("the codename is redact-me-now today")

    async def scenario():
        async with signed_in(xmpp_gateway, "alice", "bob") as (alice, bob):
            alice.say_xml("bob@im.test", "masked-" + text[-6:], f"<subject xmlns='jabber:client'>about redact-me-now</subject>",
                          f"<body xmlns='jabber:client'>{text}</body>",
                          f"<html xmlns='http://jabber.org/protocol/xhtml-im'><body xmlns='http://www.w3.org/1999/xhtml'>{text.replace('redact-me', '<b>redact</b>-me')}</body></html>")
            tail = text[-12:]
            await bob.until(lambda: any(tail in t for t in bob.texts()), "masked message")
            raw = next(str(m) for m in bob.messages if not isinstance(m, tuple) and tail in m["body"])
            assert "redact" not in raw and "-me-now" not in raw, raw
            await ping(bob)
    asyncio.run(scenario())
    record = one(xmpp_gateway.said(text), text)
    assert record["verdict"] == "redact"
    assert len(xmpp_gateway.deliveries_of(record)) == 1
    assert not [r for r in xmpp_gateway.records() if r["kind"] == "message" and text[-12:] in (r["text"] or "") and r["index"] != record["index"]]


def test_verify_is_clean_and_search_finds(xmpp_gateway):
    text = mark("findable")

    async def scenario():
        async with signed_in(xmpp_gateway, "alice", "bob") as (alice, bob):
            alice.say("bob@im.test", text)
            await bob.until_text(text)
    asyncio.run(scenario())
    done = xmpp_gateway.verify()
    assert done.returncode == 2, done.stdout + done.stderr  # consistent, but no anchor from outside
