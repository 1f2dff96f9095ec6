"""The table of metrics that are models: a row for each. A process with its own Python runs them (metric_worker.py).

A model knows the languages of the encoder that it was made of. Sources of names, licences and languages:

COMET, xCOMET, CometKiwi: MODELS.md, LICENSE.models.md and README.md ("Languages Covered") of github.com/Unbabel/COMET.
    COMET-22 is under Apache 2.0, the others are under CC BY-NC-SA. The hub gives some of them only to those who are
    logged in and have accepted the licence.
MetricX-24: README.md and metricx24.predict of github.com/google-research/metricx (Apache 2.0). It is made of mT5,
    whose languages are in README.md of github.com/google-research/multilingual-t5.
AfriCOMET 1.1: README.md of github.com/masakhane-io/africomet. SSA-COMET: arXiv 2506.04557. Both are under Apache 2.0 on
    the hub and made of Davlan/afro-xlmr-large-76L, whose model card lists its languages.
"""

from dataclasses import dataclass


def _languages(*codes: str) -> frozenset[str]:
    return frozenset(" ".join(codes).split())


# XLM-R, also as InfoXLM, XL and XXL.
XLM_R = _languages(
    "af am ar as az be bg bn br bs ca cs cy da de el en eo es et eu fa fi fr fy ga gd gl gu ha he hi hr hu hy id is",
    "it ja jv ka kk km kmr kn ko ky la lo lt lv mg mk ml mn mr ms my ne nl no om or pa pl ps pt ro ru sa sd si sk",
    "sl so sq sr su sv sw ta te th tl tr ug uk ur uz vi xh yi zh zhtrad",
)
MT5 = _languages(
    "af am ar az be bg bn ca ceb co cs cy da de el en eo es et eu fa fi fr fy ga gd gl gu ha haw he hi hmn ht hu hy",
    "id ig is it ja jv ka kk km kmr kn ko ky la lb lo lt lv mg mi mk ml mn mr ms mt my ne nl no ny pa pl ps pt ro",
    "ru sd si sk sl sm sn so sq sr st su sv sw ta te tg th tl tr uk ur uz vi xh yi yo zh zhtrad zu",
)
AFRO_XLM_R = _languages(
    "af am ar arz bci bem bm cjk din dyu ee efi en ff fon fr gaa guw ha ig iso kab kam kbp kg ki kj kmb kqn kr kwy",
    "lg ln loz lu lua lue lun luo mg mos ns nus ny nyk nqo om pcm pt rn rnd rw sg sn so ss st sw taq ti tiv tll tn",
    "toi ts tum tw tzm umb ve wal wo xh yo zne zu",
)


@dataclass(frozen=True)
class Family:
    """How the models of one kind are run, and what their numbers mean: a score is `scale` times the model's number.

    `bounds` are the least and the largest score, None if there are none.
    """

    scale: float = 1.0
    lower_is_better: bool = False
    bounds: tuple[float, float] | None = None


FAMILIES = {
    "comet": Family(scale=100.0),
    "metricx": Family(lower_is_better=True, bounds=(0.0, 25.0)),
}


@dataclass(frozen=True)
class LearnedMetric:
    """A model on the Hugging Face hub, the languages that it knows, and where its tokenizer is, if not with it."""

    family: str
    model: str
    languages: frozenset[str]
    needs_reference: bool = True
    tokenizer: str = ""

    @property
    def facts(self) -> Family:
        """How the model is run, and what its numbers mean."""
        return FAMILIES[self.family]


def _metricx(size: str, *, needs_reference: bool = True) -> LearnedMetric:
    """Return a row of MetricX-24, whose models take a segment with its reference or without."""
    return LearnedMetric(
        "metricx", f"google/metricx-24-hybrid-{size}-v2p6", MT5, needs_reference, tokenizer=f"google/mt5-{size}"
    )


LEARNED = {
    "comet": LearnedMetric("comet", "Unbabel/wmt22-comet-da", XLM_R),
    "xcomet-xl": LearnedMetric("comet", "Unbabel/XCOMET-XL", XLM_R),
    "xcomet-xxl": LearnedMetric("comet", "Unbabel/XCOMET-XXL", XLM_R),
    "xcomet-xl-qe": LearnedMetric("comet", "Unbabel/XCOMET-XL", XLM_R, needs_reference=False),
    "xcomet-xxl-qe": LearnedMetric("comet", "Unbabel/XCOMET-XXL", XLM_R, needs_reference=False),
    "comet-kiwi": LearnedMetric("comet", "Unbabel/wmt22-cometkiwi-da", XLM_R, needs_reference=False),
    "comet-kiwi-23-xl": LearnedMetric("comet", "Unbabel/wmt23-cometkiwi-da-xl", XLM_R, needs_reference=False),
    "comet-kiwi-23-xxl": LearnedMetric("comet", "Unbabel/wmt23-cometkiwi-da-xxl", XLM_R, needs_reference=False),
    "africomet": LearnedMetric("comet", "masakhane/africomet-stl-1.1", AFRO_XLM_R),
    "africomet-qe": LearnedMetric("comet", "masakhane/africomet-qe-stl-1.1", AFRO_XLM_R, needs_reference=False),
    "ssa-comet": LearnedMetric("comet", "McGill-NLP/ssa-comet-mtl", AFRO_XLM_R),
    "ssa-comet-qe": LearnedMetric("comet", "McGill-NLP/ssa-comet-qe", AFRO_XLM_R, needs_reference=False),
    "metricx-24-large": _metricx("large"),
    "metricx-24-xl": _metricx("xl"),
    "metricx-24-xxl": _metricx("xxl"),
    "metricx-24-large-qe": _metricx("large", needs_reference=False),
    "metricx-24-xl-qe": _metricx("xl", needs_reference=False),
    "metricx-24-xxl-qe": _metricx("xxl", needs_reference=False),
}
# Checkpoints of COMET may hold code, which PyTorch would run. These come from the authors of the rows above.
AUTHORS = frozenset(row.model.partition("/")[0] for row in LEARNED.values())
