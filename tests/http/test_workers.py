"""How uploads share the decoders."""

import threading
from dataclasses import replace
from pathlib import Path

from chalicelib.model.pictures import Picture
from chalicelib.repository import Decoder
from tests import pictures
from tests.http.conftest import MakeRuntime, in_process_api
from tests.http.waiting import BOUND_SECONDS, wait_until


def test_while_one_upload_waits_for_the_disk_another_one_is_at_the_decoder(make_runtime: MakeRuntime, decoder: Decoder) -> None:
    both_in_hand = threading.Barrier(2)

    def examine(path: Path, sha256: bytes, owner: str) -> Picture:
        both_in_hand.wait(BOUND_SECONDS)
        return decoder.examine(path, sha256, owner)

    make_runtime(replace(decoder, examine=examine), decode_processes=1)
    api = in_process_api()
    tickets = [api.ask_for(pictures.png(number)) for number in (1, 2)]
    for number, ticket in enumerate(tickets, 1):
        assert api.post_ticket(ticket, pictures.png(number)).status == 204
    wait_until(lambda: {api.status(ticket["upload_id"])["status"] for ticket in tickets} == {"stored"})
