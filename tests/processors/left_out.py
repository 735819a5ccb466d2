"""The tests that a run on another processor leaves out, each with its reason: a plugin for pytest."""

from __future__ import annotations

import os
import sys

import pytest
from hypothesis import settings

# What qemu cannot do, found with qemu-user 7.2. By reason: the files, and in each the beginnings of the tests' names.
QEMU: dict[str, dict[str, str]] = {
    "it answers with 4 bytes for each option that it does not know, such as TCP_INFO and SO_MEMINFO": {
        "tests/beyond/test_description.py": "test_a_connection test_what_is_unread test_what_was_not_acknowledged test_a_pending_error "
        "test_a_listener test_a_new_socket test_datagrams_that_were_lost test_a_subclass_does test_a_socket_that_its_files",
        "tests/beyond/test_notes.py": "TestConnectionsThatTheOtherEndCloses::test_a_reset "
        "TestConnectionsThatTheOtherEndCloses::test_a_send_after TestConnectionsThatTheOtherEndCloses::test_a_connection_that_was_refused",
        "tests/beyond/test_open_sockets.py": "test_a_connection test_kinds test_the_table",
        "tests/beyond/test_option_value.py": "test_a_long_value test_a_value_is_cut test_the_memory_grows test_too_much_memory",
        "tests/beyond/test_pages.py": "test_a_program[beyond.md:291] test_a_program[beyond.md:310] test_a_program[README.md:76]",
        "tests/beyond/test_tcp_info.py": "test_a_connection test_a_listener test_a_subclass_has test_it_agrees test_names_say "
        "test_states_follow test_threads_can_ask",
        "tests/test_watching.py": "test_the_table_at",
        "tests/socket/test_options.py": "test_a_buffer_is_returned test_a_filter_has_room test_a_long_struct test_a_string_option",
    },
    "it has no SO_COOKIE, by which duplicates and the sockets of other processes are known": {
        "tests/beyond/test_observe.py": "test_threads_that_call",
        "tests/beyond/test_open_sockets.py": "test_what_was_counted",
        "tests/beyond/test_tracing.py": "test_a_fork test_duplicates_are test_how_a_program_ends test_processes_of test_twins",
        "tests/seeing/test_page.py": "test_the_page",
        "tests/seeing/test_pcapng.py": "TestStreams::test_a_fork_shares_its_socket[cookie",
        "tests/seeing/test_trace_format.py": "test_closings test_each_name",
        "tests/test_watching.py": "test_lines_on test_a_record test_how_the_program test_what_the_program",
    },
    "it does not take SO_ZEROCOPY, and IPV6_FLOWINFO_SEND neither": {
        "tests/socket/test_address.py": "TestInet6::test_flow_information",
        "tests/socket/test_attempts.py": "test_a_zero_copy test_a_send_is_whole",
    },
    "it swaps 16 bits of an IPv6 address's scope, which has 32": {
        "tests/beyond/test_description.py": "test_ipv6_and_its_scope",
    },
    "it copies control messages by itself: not each kind, without MSG_CTRUNC, and leaks the descriptors that do not fit": {
        "tests/beyond/test_fd_passing.py": "test_descriptors_without_room",
        "tests/module/test_fd_passing.py": "test_more_than_allowed",
        "tests/socket/test_message.py": "TestAncillary::test_several_messages TestDescriptors::test_msg_ctrunc",
        "tests/test_leaks.py": "test_no_leak[stdlib-descriptors_that test_no_leak[oxisocket-descriptors_that",
    },
    "it makes no call for a message without buffers": {
        "tests/beyond/test_fd_passing.py": "test_an_address",
    },
    "it checks arguments in another order than the kernel, or not": {
        "tests/module/test_socketpair.py": "test_wrong_arguments",
        "tests/socket/test_construction.py": "test_an_error_of_the_kernel",
        "tests/socket/test_reentrance.py": "test_the_outcome_is_the_stdlibs[setsockopt-length",
    },
    "/proc shows its own threads, signals, masks and numbers of calls": {
        "tests/socket/test_attempts.py": "test_control_data_goes",
        "tests/beyond/test_lookup.py": "test_an_abandoned_look_up test_an_equal_question test_no_thread_and test_signals_do_not "
        "test_the_number_of_abandoned test_without_memory",
        "tests/socket/test_close_adversity.py": "test_the_program_changes_signals",
        "tests/socket/test_closed_meanwhile.py": "test_the_signal_that",
    },
    "what makes calls fail in other programs ten thousand times takes hours there, or needs the kernel's own signals": {
        "tests/test_conformance_runner.py": "test_crash",
        "tests/test_fuzz.py": "test_programs_are test_mutations_are test_what_goes_wrong",
        "tests/test_memory.py": "test_",
        "tests/test_torture.py": "test_",
    },
    "it has no room for a recursion that the interpreter would end": {
        "tests/socket/test_object.py": "TestRepr::test_of_an_address_that_contains",
    },
    "a child that is made beside other threads can hang in it": {
        "tests/beyond/test_lookup.py": "test_forks_while_threads",
    },
    "it is too slow: what must block has made room again, what ends at once has not ended": {
        "tests/beyond/test_notes.py": "TestTimeouts::test_a_deadline",
        "tests/beyond/test_reader.py": "TestSignals::test_a_handler_cannot_read",
        "tests/socket/test_closed_meanwhile.py": "test_the_closing_thread",
        "tests/socket/test_conversation.py": "test_closed_by_another_thread",
        "tests/test_demo.py": "test_the_demo",
        "tests/test_differential.py": "test_the_same_calls",
    },
}

# What is no matter of the processor, but of the Python that Debian has for it.
OLD_PYTHON = {
    "Python 3.11.2 has another limit for the float of a timeout, and another text": {
        "tests/module/test_bad_arguments.py": "test_wrong_values[socket.setdefaulttimeout] test_wrong_values[_socket.setdefaulttimeout]",
        "tests/module/test_create_connection.py": "test_wrong_timeout",
        "tests/module/test_default_timeout.py": "test_refused_timeouts",
        "tests/test_differential.py": "test_the_same_calls",
        "tests/socket/test_timeout.py": "test_the_same_timeouts test_the_same_default_timeouts",
    },
}
PYTHON_OF_32_BITS = {
    "Python 3.13.5 itself crashes where an instance has no memory for its attributes (PyObject_SetAttr)": {
        "tests/test_memory.py": "test_each_allocation_may_fail[watching test_each_allocation_may_fail[beyond",
    },
}


def _listed() -> dict[str, dict[str, str]]:
    listed: dict[str, dict[str, str]] = {}
    if os.environ.get("OXISOCKET_EMULATED"):
        listed |= {f"qemu: {reason}": files for reason, files in QEMU.items()}
    if sys.version_info < (3, 11, 4):
        listed |= OLD_PYTHON
    if sys.maxsize < 2**32:
        listed |= PYTHON_OF_32_BITS
    return listed


def pytest_configure() -> None:
    """Give an emulated processor as much time as it needs for an example."""
    if os.environ.get("OXISOCKET_EMULATED"):
        settings.register_profile("emulated", deadline=None)
        settings.load_profile("emulated")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests that are listed."""
    beginnings = {
        reason: tuple(f"{path}::{name}" for path, names in files.items() for name in names.split())
        for reason, files in _listed().items()
    }
    for item in items:
        for reason, names in beginnings.items():
            if item.nodeid.startswith(names):
                item.add_marker(pytest.mark.skip(reason=reason))
