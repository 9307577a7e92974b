"""A worker: `python -m keyhole.service.images.worker` answers questions about files until its input ends.

It has no credentials and talks to nobody but who started it, over its standard input and output. It may be killed at
any moment.
"""

from __future__ import annotations

import os
import sys

from keyhole.service.images import confinement, decode, limits
from keyhole.service.images.checked import Refused, Unavailable
from keyhole.service.images.examine import Announcer, examine
from keyhole.service.images.messages import Ended, read_message, write_message
from keyhole.service.images.question import Answer, Question, read_question, write_answer, write_expected


def main() -> None:
    """Answer one question after the other."""
    source, to = os.dup(0), os.dup(1)
    # what a library prints is not an answer
    os.dup2(2, 1)
    limits.set_up()
    decode.set_up()
    confinement.confine()
    try:
        write_message(to, {"ready": True})
        while True:
            question = read_question(read_message(source))
            write_message(to, {"heard": True})
            write_message(to, write_answer(_answer(question, lambda answer: write_message(to, write_expected(answer)))))
    except Ended:
        sys.exit(0)


def _answer(question: Question, announce: Announcer) -> Answer | Refused | Unavailable:
    limits.limit_time(question.limit_s)
    try:
        return examine(question, limits.limit_space, announce)
    except Refused as refused:
        return refused
    except MemoryError:
        reason = "the image needs too much memory to decode"
        return Refused("too-costly", reason, hint="send a smaller image")
    except OSError as error:
        return Unavailable(f"temporary files cannot be read or written: {os.strerror(error.errno or 0)}")
    except Exception:  # whatever a stranger's file brings about, it is the file that is refused
        return Refused("damaged", "the image cannot be decoded", hint="send it whole and undamaged")
    finally:
        limits.lift()


if __name__ == "__main__":
    main()
