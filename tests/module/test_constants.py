"""Every constant of the installed interpreter's module: its value, its type, its enumeration."""

import _socket
import enum
import pickle
import socket as original

import pytest

CONSTANTS = sorted(name for name, value in vars(original).items() if name.isupper() and isinstance(value, int))
RAW_CONSTANTS = sorted(name for name, value in vars(_socket).items() if name.isupper() and isinstance(value, int))
ENUMERATIONS = sorted(name for name, value in vars(original).items() if isinstance(value, enum.EnumMeta) and name[0] != "I")


def test_all_constants(both):
    """All in one test: one list of what is missing or different says more than a thousand failures."""
    first, second = ({name: getattr(each, name, "missing") for name in CONSTANTS} for each in both)
    assert {name: (first[name], second[name]) for name in CONSTANTS if first[name] != second[name]} == {}
    kinds = [{name: type(value).__name__ for name, value in values.items()} for values in (first, second)]
    assert {name: (kinds[0][name], kinds[1][name]) for name in CONSTANTS if kinds[0][name] != kinds[1][name]} == {}
    assert {name for name in CONSTANTS if repr(first[name]) != repr(second[name])} == set()


def test_all_constants_of_the_extension(both):
    """In the extension module they are plain ints."""
    first, second = ({name: getattr(each._socket, name, "missing") for name in RAW_CONSTANTS} for each in both)
    assert {name: (first[name], second[name]) for name in RAW_CONSTANTS if first[name] != second[name]} == {}
    assert {name for name in RAW_CONSTANTS if type(first[name]) is not type(second[name])} == set()


@pytest.mark.parametrize("name", ENUMERATIONS)
def test_enumerations(both, name):
    first, second = (getattr(each, name) for each in both)
    assert first.__name__ == second.__name__
    assert first.__bases__ == second.__bases__
    members = [{member: value.value for member, value in kind.__members__.items()} for kind in (first, second)]
    assert {name: members[1].get(name) for name in members[0]} == members[0]  # oxisocket may have more
    assert [member.value for member in second if member.name in members[0]] == list(map(int, first))


@pytest.mark.holds("Constants and families that the system has", "The enumerations have members for them.")
def test_more_constants(both):
    first, second = ({name: value for name, value in vars(each).items() if name.isupper()} for each in both)
    assert set(first) - set(second) == set()
    for name in ("AF_BLUETOOTH", "BTPROTO_RFCOMM", "BDADDR_ANY", "SOL_HCI"):
        assert name in second
    assert set(original.AddressFamily.__members__) <= set(both[1].AddressFamily.__members__)
    assert both[1].AddressFamily["AF_BLUETOOTH"] is second["AF_BLUETOOTH"]


@pytest.mark.parametrize("name", ENUMERATIONS)
def test_members_are_the_constants(socket, name):
    for member, value in getattr(socket, name).__members__.items():
        assert getattr(socket, member) is value


@pytest.mark.parametrize("name", ENUMERATIONS)
def test_members_have_the_same_repr(both, name):
    first, second = (getattr(each, name) for each in both)
    for member in first.__members__:
        one, other = getattr(first, member), getattr(second, member)
        assert (repr(one), str(one), f"{one}", f"{one:x}", hash(one)) == (
            repr(other),
            str(other),
            f"{other}",
            f"{other:x}",
            hash(other),
        )


@pytest.mark.parametrize("name", ENUMERATIONS)
@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_members_can_be_pickled(socket, name, protocol):
    for member in getattr(socket, name):
        assert pickle.loads(pickle.dumps(member, protocol)) is member


@pytest.mark.parametrize("name", ENUMERATIONS)
def test_unknown_values(both, answer, name):
    for value in (-1, 2**20, 2**70, "AF_INET", None, 0):
        outcomes = [answer(lambda each=each: int(getattr(each, name)(value))) for each in both]  # noqa: B023
        assert [repr(outcome).replace(each.__name__, "socket") for outcome, each in zip(outcomes, both, strict=True)] == [
            repr(outcomes[0])
        ] * 2


def test_flags_combine(socket):
    both_flags = socket.MSG_PEEK | socket.MSG_DONTWAIT
    assert type(both_flags) is socket.MsgFlag
    assert both_flags & socket.MSG_PEEK
    assert type(socket.AI_PASSIVE | socket.AI_CANONNAME) is socket.AddressInfo


def test_the_repr_of_a_socket_has_the_names(socket):
    with socket.socket() as sock:
        assert sock.family is socket.AF_INET
        assert sock.type is socket.SOCK_STREAM


@pytest.mark.parametrize("name", ["has_ipv6"])
def test_switches(both, name):
    assert getattr(both[0], name) is getattr(both[1], name)
    assert getattr(both[0]._socket, name) is getattr(both[1]._socket, name)
