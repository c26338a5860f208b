"""What is no messenger, though its words may look like one."""
import os
import socket
import subprocess
import sys
import threading

from beds.process import run
from recording import recording

WORDS = "PRIVMSG #tea :hello\nMSG 1 U 20\n<message to='bob@im.test'><body>hi</body></message>\nJOIN #tea\nMESSAGE sip:bob@im.test SIP/2.0\n"


def _python_http(lab, host, folder, port):
    lab.serve(host, f"http{port}", [sys.executable, "-m", "http.server", str(port), "--bind", host.address, "--directory", folder], port)


def _inside(host, *argv, **options):
    with host:
        return subprocess.run([str(each) for each in argv], check=True, timeout=60, stdout=subprocess.PIPE, **options).stdout


@recording
def negative_web(lab, truth):
    """python's http.server and curl: pages that speak of IRC and XMPP, on ports of messengers; git clone over HTTP"""
    server, client = lab.host(), lab.host()
    pages = lab.folder / "pages"
    pages.mkdir()
    (pages / "irc.txt").write_text(WORDS)
    (pages / "stanza.xml").write_text("<?xml version='1.0'?><message from='a@b' to='c@d'><body>example</body></message>")
    source = lab.folder / "source"
    source.mkdir()
    (source / "notes.txt").write_text(WORDS * 20)
    environment = dict(os.environ, GIT_AUTHOR_NAME="a", GIT_AUTHOR_EMAIL="a@im.test", GIT_COMMITTER_NAME="a", GIT_COMMITTER_EMAIL="a@im.test",
                       HOME=str(lab.folder))
    for command in (["init", "-q"], ["add", "notes.txt"], ["commit", "-q", "-m", "PRIVMSG #tea :a commit"]):
        run(["git", "-C", source, *command], env=environment)
    run(["git", "clone", "-q", "--bare", source, pages / "notes.git"], env=environment)
    run(["git", "-C", pages / "notes.git", "update-server-info"], env=environment)
    for port in (80, 5222, 6667, 1863, 5190):
        _python_http(lab, server, pages, port)
    with lab.capturing():
        for port, page in ((80, "irc.txt"), (5222, "stanza.xml"), (6667, "irc.txt"), (1863, "irc.txt"), (5190, "nothing")):
            _inside(client, "curl", "-s", f"http://{server.address}:{port}/{page}?nick=anna&msg=hello", "-o", "/dev/null")
        _inside(client, "curl", "-s", "-X", "POST", "-d", "msg=PRIVMSG+%23tea", f"http://{server.address}/post", "-o", "/dev/null")
        _inside(client, "git", "clone", "-q", f"http://{server.address}/notes.git", lab.folder / "cloned", env=environment)


@recording
def negative_mail(lab, truth):
    """aiosmtpd and python's smtplib, dovecot's IMAP: mail that quotes IRC, XMPP and SIP; sign-ins are alerts"""
    server, client = lab.host(), lab.host()
    smtp = lab.folder / "smtp.py"
    smtp.write_text(f'''
import time
from aiosmtpd.controller import Controller
from aiosmtpd.handlers import Sink
from aiosmtpd.smtp import AuthResult
Controller(Sink(), hostname="{server.address}", port=25, auth_require_tls=False,
           authenticator=lambda *_: AuthResult(success=True)).start()
while True:
    time.sleep(60)
''')
    lab.serve(server, "smtp", [sys.executable, smtp], 25)
    config = lab.folder / "dovecot.conf"
    (lab.folder / "users").write_text("anna:{PLAIN}imap-secret-91:65534:65534::" + str(lab.folder / "mail") + "::\n")
    (lab.folder / "mail").mkdir()
    os.chown(lab.folder / "mail", 65534, 65534)
    config.write_text(f'''
protocols = imap
base_dir = {lab.folder}/run
log_path = {lab.folder}/dovecot-own.log
listen = {server.address}
ssl = no
disable_plaintext_auth = no
mail_location = maildir:{lab.folder}/mail
first_valid_uid = 100
passdb {{
  driver = passwd-file
  args = {lab.folder}/users
}}
userdb {{
  driver = passwd-file
  args = {lab.folder}/users
}}
service imap-login {{
  inet_listener imap {{
    port = 143
  }}
  inet_listener imaps {{
    port = 0
  }}
}}
''')
    lab.serve(server, "dovecot", ["dovecot", "-F", "-c", config], 143)
    truth.credential("smtp", "bjorn", "smtp-secret-92")
    truth.credential("imap", "anna", "imap-secret-91")
    with lab.capturing():
        _inside(client, sys.executable, "-c", f'''
import imaplib, smtplib
words = """{WORDS}"""
with smtplib.SMTP("{server.address}", 25) as smtp:
    smtp.login("bjorn", "smtp-secret-92")
    smtp.sendmail("bjorn@im.test", ["anna@im.test"], "Subject: PRIVMSG #tea :hi\\n\\n" + words)
imap = imaplib.IMAP4("{server.address}", 143)
imap.login("anna", "imap-secret-91")
imap.append("INBOX", None, None, ("Subject: hello\\r\\n\\r\\n" + words.replace("\\n", "\\r\\n")).encode())
imap.select("INBOX")
imap.fetch("1", "(RFC822)")
imap.logout()
''')


@recording
def negative_machines(lab, truth):
    """redis, mosquitto (MQTT) and sshd with their own clients: publishing what looks like chat"""
    server, client = lab.host(), lab.host()
    lab.serve(server, "redis", ["redis-server", "--bind", server.address, "--port", "6379", "--save", "", "--protected-mode", "no"], 6379)
    config = lab.folder / "mosquitto.conf"
    config.write_text(f"listener 1883 {server.address}\nallow_anonymous true\n")
    lab.serve(server, "mosquitto", ["mosquitto", "-c", config], 1883)
    run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", lab.folder / "key"])
    os.makedirs("/run/sshd", exist_ok=True)
    lab.serve(server, "sshd", ["/usr/sbin/sshd", "-D", "-e", "-h", lab.folder / "key", "-p", "22", "-o", f"ListenAddress={server.address}",
                               "-o", f"PidFile={lab.folder}/sshd.pid", "-f", "/dev/null"], 22)
    heard = []
    with lab.capturing():
        with client:
            subscriber = subprocess.Popen(["mosquitto_sub", "-h", server.address, "-t", "chat/#", "-C", "2"], stdout=subprocess.PIPE, text=True)
        reader = threading.Thread(target=lambda: heard.extend(subscriber.stdout))
        reader.start()
        while not heard:  # until the subscription stands
            _inside(client, "mosquitto_pub", "-h", server.address, "-t", "chat/tea", "-m", "PRIVMSG #tea :hello")
        _inside(client, "mosquitto_pub", "-h", server.address, "-t", "chat/tea", "-m", '{"from":"anna","text":"hi"}')
        subscriber.kill()
        subscriber.wait()
        reader.join()
        for command in (["SET", "nick", "anna"], ["PUBLISH", "#tea", "PRIVMSG #tea :hello"], ["LPUSH", "tea", "<message to='a@b'><body>x</body></message>"]):
            _inside(client, "redis-cli", "-h", server.address, *command)
        with client:
            subprocess.run(["ssh", "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-o", "BatchMode=yes", "-i", str(lab.folder / "key"),
                            f"nobody@{server.address}", "true"], check=False, timeout=30, stderr=subprocess.DEVNULL)


def _name(host):
    return b"".join(bytes([len(label)]) + label.encode() for label in host.split(".")) + b"\0"


@recording
def negative_datagrams(lab, truth):
    """DNS by dig's form, syslog and a service's own datagrams that hold words of messengers"""
    server, client = lab.host(), lab.host()
    dns, log = server.listen(53, socket.SOCK_DGRAM), server.listen(514, socket.SOCK_DGRAM)
    with lab.capturing():
        for host in ("www.example.org", "irc.example.org", "xmpp.example.org"):
            with client:
                asking = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            query = b"\x12\x34\x01\0\0\1\0\0\0\0\0\0" + _name(host) + b"\0\1\0\1"
            asking.sendto(query, (server.address, 53))
            _, sender = dns.recvfrom(2_000)
            dns.sendto(query[:2] + b"\x81\x80\0\1\0\1\0\0\0\0" + query[12:] + b"\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4\xc0\0\2\x07", sender)
            asking.recv(2_000)
            asking.close()
        with client:
            asking = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        for line in WORDS.split("\n"):
            asking.sendto(b"<13>Nov 23 08:00:00 host program: " + line.encode(), (server.address, 514))
            log.recv(2_000)
        asking.close()
