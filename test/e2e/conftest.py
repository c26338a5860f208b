"""Fixtures shared by the end-to-end tests. `CHANCERY` names the binary under test."""
import pathlib
import shutil
import sys
import tempfile

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))

from beds.ca import Authority  # noqa: E402
from beds.ejabberd import Ejabberd  # noqa: E402
from beds.gateway import Gateway  # noqa: E402
from beds.inspircd import Inspircd  # noqa: E402
from beds.ngircd import Ngircd  # noqa: E402
from beds.prosody import Prosody  # noqa: E402

USERS = {"alice": "wonderland-1", "bob": "builder-2", "carol": "singer-3", "dave": "diver-4"}
XMPP_SERVERS = {"prosody": Prosody, "ejabberd": Ejabberd}
IRC_SERVERS = {"ngircd": Ngircd, "inspircd": Inspircd}


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config):
    """A folder for this run alone: the common one is closed to the servers' users whenever another run begins."""
    if config.option.basetemp is None:
        config.run_folder = pathlib.Path(tempfile.mkdtemp(prefix="chancery-e2e-"))
        config.run_folder.chmod(0o755)
        config.option.basetemp = str(config.run_folder / "t")


def pytest_sessionfinish(session, exitstatus):
    folder = getattr(session.config, "run_folder", None)
    if folder and exitstatus == 0:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def authority(tmp_path_factory):
    folder = tmp_path_factory.mktemp("ca")
    _let_servers_in(folder)
    return Authority(folder)


@pytest.fixture
def needs():
    """needs("profanity"): skips by name when a program is not installed."""
    def check(program):
        if not shutil.which(program):
            pytest.skip(f"{program} is not installed")
    return check


def _let_servers_in(folder: pathlib.Path):
    # Servers run as their own users; pytest makes its folders private.
    for path in (folder, *folder.parents):
        if path == pathlib.Path(path.anchor) or str(path) == "/tmp":
            break
        path.chmod(path.stat().st_mode | 0o055)


def _serve(kinds, request, tmp_path_factory, authority):
    folder = tmp_path_factory.mktemp(request.param)
    _let_servers_in(folder)
    server = kinds[request.param](folder, authority)
    request.addfinalizer(server.stop)
    return server.start(USERS)


@pytest.fixture(scope="module", params=sorted(XMPP_SERVERS))
def xmpp_server(request, tmp_path_factory, authority):
    return _serve(XMPP_SERVERS, request, tmp_path_factory, authority)


@pytest.fixture(scope="module", params=sorted(IRC_SERVERS))
def irc_server(request, tmp_path_factory, authority):
    return _serve(IRC_SERVERS, request, tmp_path_factory, authority)


@pytest.fixture(scope="module")
def xmpp_gateway(xmpp_server, tmp_path_factory, authority):
    gateway = Gateway(tmp_path_factory.mktemp("gateway"), authority)
    gateway.listen("starttls", "xmpp", "starttls", xmpp_server.starttls_port, "starttls")
    gateway.listen("direct", "xmpp", "direct", xmpp_server.direct_port, "direct")
    gateway.listen("mixed", "xmpp", "starttls", xmpp_server.direct_port, "direct")
    yield gateway.start()
    assert gateway.stop() == 0, gateway.process.tail()


@pytest.fixture(scope="module")
def irc_gateway(irc_server, tmp_path_factory, authority):
    gateway = Gateway(tmp_path_factory.mktemp("gateway"), authority)
    gateway.listen("direct", "irc", "direct", irc_server.direct_port, "direct", network="irc")
    gateway.listen("plain", "irc", "none", irc_server.plain_port, "none", network="irc")
    yield gateway.start()
    assert gateway.stop() == 0, gateway.process.tail()
