"""An HTTP client that reaches one configured endpoint and, where that sends us on for bytes, public https hosts only.

A host name is resolved once, every address is judged, and the connection goes to the address that was judged, so that
a name cannot point elsewhere the second time. Each redirect passes here again.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Iterable
from typing import Any

import httpcore2
import httpx2
from httpcore2._backends.sync import SyncBackend

CONNECT_S = 30.0
READ_S = 60.0
PORTS = {443}


class AddressRefused(httpx2.RequestError):
    """A request was about to go to a place that we do not talk to."""


def is_public(address: str) -> bool:
    """True for a global unicast address; mapped IPv4 in IPv6 is judged as IPv4."""
    ip = ipaddress.ip_address(address.split("%")[0])
    mapped = getattr(ip, "ipv4_mapped", None) or getattr(ip, "sixtofour", None)
    if isinstance(ip, ipaddress.IPv6Address) and ip in ipaddress.ip_network("64:ff9b::/96"):
        mapped = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
    ip = mapped or ip
    return ip.is_global and not ip.is_multicast and not ip.is_reserved


class JudgedBackend(httpcore2.NetworkBackend):
    """Opens connections to the endpoint's own host wherever it is, and to others only at public addresses."""

    def __init__(self, endpoint_host: str) -> None:
        self._endpoint_host = endpoint_host.lower()
        self._sockets = SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore2.NetworkStream:
        target = host
        if host.lower() != self._endpoint_host:
            try:
                found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            except OSError as error:
                raise httpcore2.ConnectError(str(error)) from error
            addresses = [str(entry[4][0]) for entry in found]
            if not addresses or not all(is_public(address) for address in addresses):
                raise AddressRefused(f"the Hub sends us to {host}, which is not a public address: it is not followed")
            target = addresses[0]
        return self._sockets.connect_tcp(target, port, timeout, local_address, socket_options)

    def connect_unix_socket(self, *_: Any, **__: Any) -> httpcore2.NetworkStream:
        raise AddressRefused("a local socket is no place to fetch from")


class GuardedTransport(httpx2.HTTPTransport):
    """Refuses an address by its URL before a connection, and by what its name resolves to when one is opened."""

    def __init__(self, endpoint: str) -> None:
        super().__init__(trust_env=False, retries=2)
        self._endpoint = httpx2.URL(endpoint)
        self._pool._network_backend = JudgedBackend(self._endpoint.host)

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        url = request.url
        own = (url.scheme, url.host, url.port) == (self._endpoint.scheme, self._endpoint.host, self._endpoint.port)
        if not own:
            if url.host.lower() == self._endpoint.host.lower():
                raise AddressRefused("the Hub sends us to another port of its own host: it is not followed")
            if url.scheme != "https" or (url.port or 443) not in PORTS or url.userinfo:
                raise AddressRefused(f"the Hub sends us to {url.scheme}://{url.host}: only https is followed")
            # The token is for the Hub alone, whoever forgot to take it off.
            request.headers.pop("authorization", None)
            request.headers.pop("cookie", None)
        return super().handle_request(request)


def guarded_client(endpoint: str) -> httpx2.Client:
    """A client for huggingface_hub's `set_client_factory`. Knows no proxy and no environment."""
    from huggingface_hub.utils._http import hf_request_event_hook

    return httpx2.Client(
        transport=GuardedTransport(endpoint),
        event_hooks={"request": [hf_request_event_hook]},
        follow_redirects=True,
        max_redirects=5,
        trust_env=False,
        timeout=httpx2.Timeout(READ_S, connect=CONNECT_S),
    )
