"""The core of the assistant: one conversation per person, whatever they speak through. It knows no vendor.

    channels/*  --Turn-->  conversation.py  --->  dialogue.py  --->  Rasa, and the actions in actions/*
        ^                       |                     |
        +-------Reply-----------+                 tracker.py: what Rasa remembers

- `turns` is the seam: the only types that channels and the core share.
- `conversation` is the use case: one turn, from de-duplication to commit.
- `profiles`, `codes`, `orders`, `requests`, `transcripts`, `outbox` are the stores, over `database`.
- `context` is what an action may touch during a turn.
- `settings` reads the environment, `shop` reads `data/shop.yml`, `app` wires everything, `cli` is the command.
"""
